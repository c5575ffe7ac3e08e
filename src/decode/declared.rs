//! The charset labels that a document carries: in the header, in the XML declaration, in HTML's `meta`.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How far into a page a `meta` is looked for. The standard says 1,024 bytes; the portal's stands later.
const META_WINDOW: usize = 256 * 1024;

/// Elements whose content is text, not markup (HTML Standard section 13.2.5, RCDATA and RAWTEXT).
const RAW_TEXT: [&str; 7] = ["script", "style", "title", "textarea", "xmp", "noframes", "iframe"];

/// The charset parameter of a Content-Type value (RFC 9110 section 8.3), quoted or not.
pub(super) fn in_content_type(value: &str) -> Option<&'static Encoding> {
    let at = find_charset(value)?;
    label(&value[at..])
}

/// `encoding="…"` in `<?xml … ?>` at the very start.
pub(super) fn in_xml_declaration(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let bytes = &bytes[start..];
    if !bytes.starts_with(b"<?xml") {
        return None;
    }
    let end = bytes.iter().take(1024).position(|byte| *byte == b'>')?;
    let declaration = String::from_utf8_lossy(&bytes[..end]);
    let at = declaration.find("encoding")? + "encoding".len();
    label(declaration[at..].trim_start().strip_prefix('=')?).map(ascii_compatible)
}

/// `<meta charset=…>` or `<meta http-equiv=Content-Type content="…; charset=…">`. Walks over tags, so that a
/// `charset=` inside a script, a style sheet or a comment is not taken for one.
pub(super) fn in_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let window = &bytes[..bytes.len().min(META_WINDOW)];
    let mut at = 0;
    while let Some(open) = find(window, at, b"<") {
        at = open + 1;
        let rest = &window[at..];
        if rest.starts_with(b"!--") {
            at = find(window, at + 3, b"-->")? + 3;
            continue;
        }
        let name_length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if name_length == 0 || !rest[0].is_ascii_alphabetic() {
            continue;
        }
        let name = String::from_utf8_lossy(&rest[..name_length.min(16)]).to_ascii_lowercase();
        let (attributes, end) = attributes(window, at + name_length);
        at = end;
        if name == "meta"
            && let Some(encoding) = from_meta(&attributes)
        {
            return Some(ascii_compatible(encoding));
        }
        if RAW_TEXT.contains(&name.as_str()) {
            at = end_of_raw_text(window, at, &name)?;
        }
    }
    None
}

fn from_meta(attributes: &[(String, String)]) -> Option<&'static Encoding> {
    let get = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if let Some(encoding) = get("charset").and_then(label) {
        return Some(encoding);
    }
    let equiv = get("http-equiv")?;
    if !equiv.trim().eq_ignore_ascii_case("content-type") {
        return None;
    }
    in_content_type(get("content")?)
}

/// The attributes of the tag whose name ends at `at`, and where the tag ends.
fn attributes(bytes: &[u8], mut at: usize) -> (Vec<(String, String)>, usize) {
    let mut found = Vec::new();
    let get = |at: usize| bytes.get(at).copied();
    loop {
        while get(at).is_some_and(|byte| byte.is_ascii_whitespace() || byte == b'/') {
            at += 1;
        }
        let name_start = at;
        while get(at).is_some_and(|byte| !byte.is_ascii_whitespace() && !b"/>=".contains(&byte)) {
            at += 1;
        }
        let name_end = at;
        while get(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            at += 1;
        }
        let value = if get(at) == Some(b'=') {
            let (value, end) = attribute_value(bytes, at + 1);
            at = end;
            value
        } else {
            &[]
        };
        if name_end > name_start && found.len() < 64 {
            let text = |part: &[u8]| String::from_utf8_lossy(&part[..part.len().min(256)]).into_owned();
            found.push((text(&bytes[name_start..name_end]).to_ascii_lowercase(), text(value)));
        }
        match get(at) {
            None => return (found, at),
            Some(b'>') => return (found, at + 1),
            // An equals sign without a name: step over it, or the loop would stand still.
            Some(_) if at == name_start => at += 1,
            Some(_) => {}
        }
    }
}

fn attribute_value(bytes: &[u8], mut at: usize) -> (&[u8], usize) {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(at) {
        let start = at + 1;
        let end = find(bytes, start, std::slice::from_ref(quote)).unwrap_or(bytes.len());
        return (&bytes[start..end], (end + 1).min(bytes.len()));
    }
    let start = at;
    while bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace() && *byte != b'>') {
        at += 1;
    }
    (&bytes[start..at], at)
}

fn end_of_raw_text(bytes: &[u8], mut at: usize, name: &str) -> Option<usize> {
    loop {
        let close = find(bytes, at, b"</")?;
        at = close + 2;
        if bytes[at..].get(..name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name.as_bytes())) {
            return Some(at);
        }
    }
}

/// Where the value after `charset =` begins.
fn find_charset(value: &str) -> Option<usize> {
    let lower = value.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find("charset") {
        from += found + "charset".len();
        let rest = lower[from..].trim_start();
        if let Some(after) = rest.strip_prefix('=') {
            return Some(lower.len() - after.len());
        }
    }
    None
}

/// The first known label in a value; broken ones such as `UTF-8,gb2312` name several.
fn label(value: &str) -> Option<&'static Encoding> {
    value
        .split([',', ';', '"', '\'', ' ', '\t', '\n', '\r'])
        .filter(|part| !part.is_empty())
        .take(8)
        .find_map(|part| Encoding::for_label_no_replacement(part.as_bytes()))
}

/// A label that could be read as ASCII cannot be UTF-16 (HTML Standard section 13.2.3.2).
fn ascii_compatible(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding }
}

fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(needle.len()).position(|window| window == needle).map(|at| from + at)
}
