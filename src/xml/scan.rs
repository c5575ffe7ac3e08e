//! Text → tokens, in one pass over the bytes.
//!
//! Written by hand rather than on an event crate: the repairs below (where does an unclosed CDATA section, tag or
//! quote end?) need to look at the text itself, and must not scan to the end of it twice. See
//! `docs/decisions/0005-own-xml-scanner.md`.

use super::trouble::{Trouble, Troubles, limits};
use memchr::{memchr, memchr2, memchr3, memmem};

/// One attribute as written: the value still holds its character references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    /// The name with its prefix.
    pub(super) name: &'a str,
    /// The value without quotes.
    pub(super) value: &'a str,
}

/// One token. The attributes of an `Open` stand in [`Scanner::attributes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text with character references.
    Text(&'a str),
    /// Text that is to be taken literally: CDATA, a stray `<`.
    Literal(&'a str),
    /// A start tag.
    Open { name: &'a str, empty: bool },
    /// An end tag.
    Close(&'a str),
}

/// Reads tokens. Linear: every search for an end that fails is remembered and never repeated.
pub(super) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    /// Attributes of the start tag that was read last.
    pub(super) attributes: Vec<Attribute<'a>>,
    /// What was wrong so far.
    pub(super) troubles: Troubles,
    /// Ends that were looked for and do not come any more.
    missing: Vec<&'static str>,
    doctype_seen: bool,
}

fn space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn ends_name(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'>' | b'/' | b'<' | b'=' | b'"' | b'\'')
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte >= 0x80
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            attributes: Vec::new(),
            troubles: Troubles::default(),
            missing: Vec::new(),
            doctype_seen: false,
        }
    }

    /// Where the next token begins.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Cuts off the next `length` bytes; callers stop at ASCII characters only, which are character boundaries.
    fn take(&mut self, length: usize) -> &'a str {
        let piece = &self.text[self.position..self.position + length];
        self.position += length;
        piece
    }

    /// The next token; `open` is the name of the innermost open element, where an unclosed CDATA section ends.
    pub(super) fn next(&mut self, open: &str) -> Option<Token<'a>> {
        loop {
            let rest = &self.bytes()[self.position..];
            if rest.is_empty() {
                return None;
            }
            match memchr(b'<', rest) {
                None => return Some(Token::Text(self.take(rest.len()))),
                Some(0) => {
                    if let Some(token) = self.markup(open) {
                        return Some(token);
                    }
                }
                Some(length) => return Some(Token::Text(self.take(length))),
            }
        }
    }

    /// Reads what begins with the `<` at `position`; `None` when it was skipped.
    fn markup(&mut self, open: &str) -> Option<Token<'a>> {
        let rest = &self.bytes()[self.position..];
        match rest.get(1) {
            Some(&byte) if starts_name(byte) => self.start_tag(),
            Some(b'/') => self.end_tag(),
            Some(b'?') => {
                self.instruction();
                None
            }
            Some(b'!') if rest.starts_with(b"<!--") => {
                self.comment();
                None
            }
            Some(b'!') if rest.len() >= 9 && rest[..9].eq_ignore_ascii_case(b"<![CDATA[") => Some(self.cdata(open)),
            Some(b'!') => {
                self.doctype();
                None
            }
            None => {
                self.troubles.note(Trouble::UnclosedTag, self.position);
                self.position += 1;
                None
            }
            Some(_) => Some(self.stray(1)),
        }
    }

    /// The next `length` bytes are no markup after all.
    fn stray(&mut self, length: usize) -> Token<'a> {
        self.troubles.note(Trouble::StrayLess, self.position);
        Token::Text(self.take(length))
    }

    fn cdata(&mut self, open: &str) -> Token<'a> {
        let start = self.position + 9;
        if let Some(length) = self.find_end(start, "]]>") {
            self.position = start + length + 3;
            return Token::Literal(&self.text[start..start + length]);
        }
        // It ends where the element around it does, or with the document.
        self.troubles.note(Trouble::UnclosedCData, self.position);
        self.position = start;
        let rest = &self.bytes()[start..];
        let end = if open.is_empty() { None } else { memmem::find(rest, format!("</{open}").as_bytes()) };
        Token::Literal(self.take(end.unwrap_or(rest.len())))
    }

    fn comment(&mut self) {
        match self.find_end(self.position + 4, "-->") {
            Some(length) => self.position += 4 + length + 3,
            None => self.skip_broken(),
        }
    }

    fn instruction(&mut self) {
        match self.find_end(self.position + 2, "?>") {
            Some(length) => self.position += 2 + length + 2,
            None => self.skip_broken(),
        }
    }

    /// How far `end` is from `start`. Searched in vain once, it is not searched again.
    fn find_end(&mut self, start: usize, end: &'static str) -> Option<usize> {
        if self.missing.contains(&end) {
            return None;
        }
        let found = memmem::find(&self.bytes()[start..], end.as_bytes());
        if found.is_none() {
            self.missing.push(end);
        }
        found
    }

    /// Steps over markup that has no end of its own: to the next `>`, or before the next `<`.
    fn skip_broken(&mut self) {
        self.troubles.note(Trouble::UnclosedComment, self.position);
        let rest = &self.bytes()[self.position + 1..];
        self.position += 1 + match memchr2(b'>', b'<', rest) {
            Some(length) if rest[length] == b'>' => length + 1,
            Some(length) => length,
            None => rest.len(),
        };
    }

    /// `<!DOCTYPE … [ … ]>` is skipped with all that it declares, once; further declarations end at their `>`.
    fn doctype(&mut self) {
        let rest = &self.bytes()[self.position..];
        if self.doctype_seen {
            return self.skip_broken();
        }
        self.doctype_seen = true;
        let (mut quote, mut subset) = (0, false);
        for (index, &byte) in rest.iter().enumerate() {
            match byte {
                _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
                b'"' | b'\'' => quote = byte,
                b'[' => subset = true,
                b']' => subset = false,
                b'>' if !subset => {
                    self.position += index + 1;
                    return;
                }
                // No internal subset: a tag has begun, the declaration was never closed.
                b'<' if index > 0 && !subset => break,
                _ => {}
            }
        }
        self.skip_broken();
    }

    fn end_tag(&mut self) -> Option<Token<'a>> {
        let rest = &self.bytes()[self.position + 2..];
        let end = memchr2(b'>', b'<', rest);
        let inside = &self.text[self.position + 2..self.position + 2 + end.unwrap_or(rest.len())];
        let closed = end.is_some_and(|at| rest[at] == b'>');
        if !closed {
            self.troubles.note(Trouble::UnclosedTag, self.position);
        }
        self.position += 2 + inside.len() + usize::from(closed);
        let name = inside.trim_ascii_start();
        let name = &name[..name.bytes().position(ends_name).unwrap_or(name.len())];
        // Without its `>` at the end of the document it may be the beginning of any name.
        (end.is_some() && name.len() <= limits::NAME).then_some(Token::Close(name))
    }

    fn start_tag(&mut self) -> Option<Token<'a>> {
        let start = self.position;
        let bytes = self.bytes();
        let mut at = start + 1;
        while at < bytes.len() && !ends_name(bytes[at]) {
            at += 1;
        }
        let name = &self.text[start + 1..at];
        self.attributes.clear();
        let end = self.attributes_of(at);
        match end {
            End::Tag { position, empty } => {
                self.position = position;
                if name.len() > limits::NAME {
                    self.troubles.note(Trouble::Name, start);
                    return None;
                }
                Some(Token::Open { name, empty })
            }
            // `<` before `>`: with attributes a tag that lost its end, without them no tag at all ("a <b and c").
            End::Less(position) if self.attributes.is_empty() => Some(self.stray(position - start)),
            End::Less(position) => {
                self.troubles.note(Trouble::UnclosedTag, start);
                self.position = position;
                Some(Token::Open { name, empty: false })
            }
            End::Text => {
                self.troubles.note(Trouble::UnclosedTag, start);
                self.position = bytes.len();
                None
            }
        }
    }

    /// Reads attributes from `at` to the end of the tag.
    fn attributes_of(&mut self, mut at: usize) -> End {
        let bytes = self.bytes();
        loop {
            match bytes.get(at) {
                None => return End::Text,
                Some(b'>') => return End::Tag { position: at + 1, empty: false },
                Some(b'<') => return End::Less(at),
                Some(b'/') if bytes.get(at + 1) == Some(&b'>') => return End::Tag { position: at + 2, empty: true },
                Some(&byte) if space(byte) => at += 1,
                Some(b'/' | b'=' | b'"' | b'\'') => {
                    self.troubles.note(Trouble::Attribute, at);
                    at += 1;
                }
                Some(_) => at = self.attribute(at),
            }
        }
    }

    /// Reads one attribute and returns where it ends.
    fn attribute(&mut self, start: usize) -> usize {
        let bytes = self.bytes();
        let skip = |mut at: usize, stop: fn(u8) -> bool| {
            while at < bytes.len() && !stop(bytes[at]) {
                at += 1;
            }
            at
        };
        let name_end = skip(start, ends_name);
        let equals = skip(name_end, |b| !space(b));
        if bytes.get(equals) != Some(&b'=') {
            self.troubles.note(Trouble::Attribute, start);
            return name_end;
        }
        let value_start = skip(equals + 1, |b| !space(b));
        let quote = bytes.get(value_start).copied().filter(|b| matches!(b, b'"' | b'\''));
        let (from, to, end) = if let Some(quote) = quote {
            self.quoted(value_start + 1, quote)
        } else {
            self.troubles.note(Trouble::Attribute, start);
            let end = skip(value_start, |b| space(b) || b == b'>' || b == b'<');
            // `<a href=x/>`: the slash belongs to the tag.
            let slash = end > value_start && bytes[end - 1] == b'/' && bytes.get(end) == Some(&b'>');
            (value_start, end - usize::from(slash), end - usize::from(slash))
        };
        self.keep(Attribute { name: &self.text[start..name_end], value: &self.text[from..to] }, start);
        end
    }

    fn keep(&mut self, attribute: Attribute<'a>, offset: usize) {
        if attribute.name.len() > limits::NAME {
            self.troubles.note(Trouble::Name, offset);
        } else if self.attributes.len() >= limits::ATTRIBUTES {
            self.troubles.note(Trouble::Attributes, offset);
        } else {
            self.attributes.push(attribute);
        }
    }

    /// A quoted value from `from`: its begin, its end, and where reading goes on. A quote that is missing is
    /// recognised by what stands where the value would end.
    fn quoted(&mut self, from: usize, quote: u8) -> (usize, usize, usize) {
        let rest = &self.bytes()[from..];
        if let Some(length) = memchr(quote, rest) {
            let value = &rest[..length];
            let next = rest.get(length + 1).copied();
            let plausible = next.is_none_or(|b| space(b) || matches!(b, b'>' | b'/' | b'?'));
            let less = memchr(b'<', value);
            if !plausible && value.ends_with(b"=") && less.is_none() {
                // `url="a length="7"`: the value ended before the attribute that its end seems to begin.
                if let Some(end) = value.iter().rposition(|b| space(*b)) {
                    self.troubles.note(Trouble::Attribute, from);
                    return (from, from + end, from + end);
                }
            }
            if let Some(less) = less {
                self.troubles.note(Trouble::StrayLess, from + less);
            }
            // `title="<b>"` is closed; `type="x></item> <item url="` goes on with another tag.
            if less.is_none() || (plausible && !value.ends_with(b"=")) {
                return (from, from + length, from + length + 1);
            }
        }
        self.troubles.note(Trouble::Attribute, from);
        let end = from + memchr3(b'>', b'<', b'\n', rest).unwrap_or(rest.len());
        (from, end, end)
    }
}

enum End {
    /// At the tag's `>`, which `position` is behind.
    Tag { position: usize, empty: bool },
    /// At a `<`.
    Less(usize),
    /// At the end of the document.
    Text,
}

/// Calls `each` with the name in lower case and the attributes (names in lower case, references resolved) of every
/// start tag with one of these names, in a document that need not be XML; stops when it returns false. For feed links
/// in HTML pages.
pub fn tags(text: &str, wanted: &[&str], mut each: impl FnMut(&str, &[(String, String)]) -> bool) {
    let mut scanner = Scanner::new(text);
    while let Some(token) = scanner.next("") {
        let Token::Open { name, .. } = token else { continue };
        let Some(name) = wanted.iter().find(|wanted| wanted.eq_ignore_ascii_case(name)) else { continue };
        let attributes: Vec<_> = scanner
            .attributes
            .iter()
            .map(|a| (a.name.to_ascii_lowercase(), super::unescape(a.value).into_owned()))
            .collect();
        if !each(name, &attributes) {
            return;
        }
    }
}
