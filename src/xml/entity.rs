//! Character references: `&amp;`, `&#38;`, `&#x26;` and the named characters of HTML. Nothing else is expanded.

use super::trouble::{Trouble, Troubles};
use crate::model::is_legal;
use std::borrow::Cow;
use web_atoms::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// The longest name is `CounterClockwiseContourIntegral;`; numbers with many leading zeros are cut here too.
const LONGEST: usize = 40;

/// Resolves character references once. A bare `&` and unknown names stay as they are.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    resolve(raw, 0, &Troubles::default())
}

/// Resolves character references once; `offset` is where `raw` begins in the document, for the troubles.
pub(super) fn resolve<'a>(raw: &'a str, offset: usize, troubles: &Troubles) -> Cow<'a, str> {
    let Some(mut next) = memchr::memchr(b'&', raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        out.push_str(&rest[..next]);
        rest = &rest[next..];
        let used = match reference(rest) {
            Reference::Text(text, used) => {
                out.push_str(text);
                used
            }
            Reference::Chars(first, second, used) => {
                out.push(first);
                out.extend(second);
                used
            }
            Reference::None(trouble) => {
                troubles.note(trouble, offset + raw.len() - rest.len());
                out.push('&');
                1
            }
            Reference::Illegal(used) => {
                troubles.note(Trouble::IllegalCharacter, offset + raw.len() - rest.len());
                used
            }
        };
        rest = &rest[used..];
        let Some(at) = memchr::memchr(b'&', rest.as_bytes()) else {
            out.push_str(rest);
            return Cow::Owned(out);
        };
        next = at;
    }
}

/// What stands at an `&`: the number is the bytes used.
enum Reference {
    Text(&'static str, usize),
    Chars(char, Option<char>, usize),
    Illegal(usize),
    None(Trouble),
}

fn reference(text: &str) -> Reference {
    let bytes = text.as_bytes();
    // The four that make up nearly all references in feeds.
    if bytes.starts_with(b"&lt;") {
        return Reference::Text("<", 4);
    } else if bytes.starts_with(b"&gt;") {
        return Reference::Text(">", 4);
    } else if bytes.starts_with(b"&amp;") {
        return Reference::Text("&", 5);
    } else if bytes.starts_with(b"&quot;") {
        return Reference::Text("\"", 6);
    }
    let window = &bytes[1..bytes.len().min(LONGEST)];
    let length = window.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
    if length == 0 || window.get(length) != Some(&b';') {
        return Reference::None(Trouble::Ampersand);
    }
    // '&' + name + ';' are all ASCII, so these are character boundaries.
    let name = &text[1..=length];
    if let Some(number) = name.strip_prefix('#') {
        return numeric(number, length + 2);
    }
    match NAMED_ENTITIES.get(&text[1..length + 2]) {
        Some(&(first, second)) if first != 0 => match char::from_u32(first) {
            Some(first) => Reference::Chars(first, char::from_u32(second).filter(|c| *c != '\0'), length + 2),
            None => Reference::None(Trouble::UnknownEntity),
        },
        _ => Reference::None(Trouble::UnknownEntity),
    }
}

fn numeric(number: &str, used: usize) -> Reference {
    let parsed = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    let Ok(code) = parsed else { return Reference::None(Trouble::Ampersand) };
    // &#128; to &#159; are meant as windows-1252 (WHATWG HTML, numeric character reference end state).
    let code = match code {
        0x80..=0x9F => C1_REPLACEMENTS[(code - 0x80) as usize].map_or(code, u32::from),
        _ => code,
    };
    match char::from_u32(code).filter(|c| is_legal(*c)) {
        Some(c) => Reference::Chars(c, None, used),
        None => Reference::Illegal(used),
    }
}
