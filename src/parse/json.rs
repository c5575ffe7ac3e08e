//! A tolerant JSON reader: a document that breaks off or has a comma too many still yields what came before.
//! RFC 8259, plus: raw control characters in strings, trailing commas, lone surrogates, an end that is missing.

use std::borrow::Cow;

/// Values inside each other; deeper ones are left out.
const DEPTH: usize = 64;
/// Values in one document, which bounds memory to some 60 bytes each; further ones are left out.
pub(super) const VALUES: usize = 400_000;

/// A JSON value. Numbers stay as written: ids are never rounded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    /// Members in order; the first of two with one name counts.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// A member of an object.
    pub(super) fn get(&self, name: &str) -> &Json<'a> {
        match self {
            Json::Object(members) => members.iter().find(|(n, _)| n == name).map_or(&Json::Null, |(_, value)| value),
            _ => &Json::Null,
        }
    }

    /// The members of an array; a value that should have been an array is its only member.
    pub(super) fn list(&self) -> &[Json<'a>] {
        match self {
            Json::Array(values) => values,
            Json::Null => &[],
            other => std::slice::from_ref(other),
        }
    }

    /// A string that is not blank, or a number or truth value as text.
    pub(super) fn text(&self) -> Option<String> {
        let text = match self {
            Json::String(text) => text.trim(),
            Json::Number(text) => text,
            Json::Bool(true) => "true",
            Json::Bool(false) => "false",
            _ => return None,
        };
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A number above 0, also when written as a string; fractions are cut.
    pub(super) fn number<N: std::str::FromStr + PartialOrd + Default>(&self) -> Option<N> {
        self.text()?.split('.').next()?.parse().ok().filter(|n| *n > N::default())
    }
}

/// How a document was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Well-formed.
    Sound,
    /// Not well-formed.
    Broken,
    /// It has more than [`VALUES`]; what stands behind them was not looked at.
    TooLong,
}

/// Reads a document; also how it was.
pub(super) fn read(text: &str) -> (Json<'_>, State) {
    let mut reader = Reader { text, position: 0, sound: true, left: VALUES };
    let value = reader.value(0);
    reader.space();
    let sound = reader.sound && value.is_some() && reader.position == text.len();
    let state = match sound {
        _ if reader.left == 0 => State::TooLong,
        true => State::Sound,
        false => State::Broken,
    };
    (value.unwrap_or(Json::Null), state)
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    sound: bool,
    /// How many values may still be kept.
    left: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.position += 1;
        }
    }

    /// Steps over this character if it is next.
    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    /// The next value; `None` when there is none or it is cut off.
    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        self.space();
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            // Nothing is left to read for anybody.
            self.position = self.text.len();
            return None;
        }
        match self.peek()? {
            b'{' => Some(self.object(depth)),
            b'[' => Some(self.array(depth)),
            b'"' => self.string().map(Json::String),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Option<Json<'a>> {
        let rest = &self.text[self.position..];
        let end = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}' | ':' | '"' | '{' | '[');
        let length = rest.find(end).unwrap_or(rest.len());
        let word = &rest[..length];
        self.position += length;
        match word {
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            _ if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Some(Json::Number(word)),
            _ => {
                self.sound = false;
                None
            }
        }
    }

    /// After a member: whether another may follow.
    fn more(&mut self, close: u8) -> bool {
        if self.eat(close) {
            return false;
        }
        if self.eat(b',') {
            return true;
        }
        self.sound = false;
        match self.peek() {
            // A closing bracket of the wrong kind belongs to the value around this one.
            None | Some(b']' | b'}') => false,
            // A forgotten comma.
            Some(b'"' | b'{' | b'[') => true,
            Some(_) => {
                let rest = &self.text[self.position..];
                self.position += rest.find([',', ']', '}', '"', '{', '[']).unwrap_or(rest.len());
                self.peek().is_some() && self.more(close)
            }
        }
    }

    fn array(&mut self, depth: usize) -> Json<'a> {
        self.position += 1;
        let mut values = Vec::new();
        if self.eat(b']') {
            return Json::Array(values);
        }
        loop {
            let value = self.member(depth);
            values.extend(value);
            if !self.more(b']') {
                return Json::Array(values);
            }
            if self.eat(b']') {
                self.sound = false;
                return Json::Array(values);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Json<'a> {
        self.position += 1;
        let mut members = Vec::new();
        if self.eat(b'}') {
            return Json::Object(members);
        }
        loop {
            self.space();
            let name = if self.peek() == Some(b'"') { self.string() } else { None };
            if let Some(name) = name {
                let colon = self.eat(b':');
                self.sound &= colon;
                let value = if colon { self.member(depth) } else { None };
                members.extend(value.map(|value| (name, value)));
            } else {
                // A value without a name: stepped over, so that every turn of the loop moves on.
                self.sound = false;
                let _nameless = self.member(depth);
            }
            if !self.more(b'}') {
                return Json::Object(members);
            }
            if self.eat(b'}') {
                self.sound = false;
                return Json::Object(members);
            }
        }
    }

    /// A value inside another; too deep ones are stepped over.
    fn member(&mut self, depth: usize) -> Option<Json<'a>> {
        if depth < DEPTH {
            return self.value(depth + 1);
        }
        self.space();
        self.sound = false;
        match self.peek()? {
            b'{' | b'[' => self.skip_nested(),
            _ => return self.value(depth + 1),
        }
        None
    }

    /// Steps over a value with all that it holds, without recursion.
    fn skip_nested(&mut self) {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.position += 1;
            if open == 0 {
                return;
            }
        }
    }

    /// A string; `None` when the document ends inside it.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.position + 1;
        let bytes = self.text.as_bytes();
        let mut out: Option<String> = None;
        let mut from = start;
        let mut at = start;
        loop {
            while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\\' {
                at += 1;
            }
            match bytes.get(at) {
                Some(b'"') => {
                    self.position = at + 1;
                    let piece = &self.text[from..at];
                    return Some(match out {
                        None => Cow::Borrowed(piece),
                        Some(text) => Cow::Owned(text + piece),
                    });
                }
                Some(_) => {
                    let text = out.get_or_insert_default();
                    text.push_str(&self.text[from..at]);
                    at = escape(self.text, at + 1, text);
                    from = at;
                }
                None => {
                    self.position = bytes.len();
                    self.sound = false;
                    return None;
                }
            }
        }
    }
}

/// Reads what follows a backslash at `at`, and returns where the text goes on.
fn escape(text: &str, at: usize, out: &mut String) -> usize {
    let Some(c) = text[at..].chars().next() else { return at };
    match c {
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'r' => out.push('\r'),
        // Characters that XML forbids.
        'b' | 'f' => {}
        'u' => return unicode(text, at + 1, out),
        other => out.push(other),
    }
    at + c.len_utf8()
}

fn unicode(text: &str, at: usize, out: &mut String) -> usize {
    let unit = |at: usize| text.get(at..at + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    let Some(first) = unit(at) else { return at };
    let second = if text.get(at + 4..at + 6) == Some("\\u") { unit(at + 6) } else { None };
    let pair = second.filter(|s| (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(s));
    let units: &[u16] = if let Some(second) = pair { &[first, second] } else { &[first] };
    let decoded = char::decode_utf16(units.iter().copied()).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    out.extend(decoded.filter(|c| !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}')));
    at + if pair.is_some() { 10 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads and writes back in a fixed form.
    fn check(text: &str, expected: &str, sound: bool) {
        let (value, state) = read(text);
        assert_eq!((show(&value).as_str(), state == State::Sound), (expected, sound), "{text:?}");
    }

    #[test]
    fn values_are_counted() {
        let list = |count: usize| format!("[{}0]", "1,".repeat(count));
        // The list is a value, and one more is never taken.
        for (count, state) in [(VALUES - 3, State::Sound), (VALUES - 2, State::TooLong), (VALUES * 2, State::TooLong)] {
            let text = list(count);
            let (value, was) = read(&text);
            assert_eq!((value.list().len(), was), ((count + 1).min(VALUES - 2), state));
        }
        let text = format!("{{\"a\": 1, \"b\": {}", "[{".repeat(VALUES));
        assert_eq!(read(&text).1, State::Broken, "what is too deep is stepped over");
        let text = format!("{{\"a\": 1, {}", "\"b\": {}, ".repeat(VALUES));
        assert!(matches!(read(&text), (Json::Object(members), State::TooLong) if members.len() == VALUES - 2));
    }

    fn show(value: &Json<'_>) -> String {
        match value {
            Json::Null => "null".into(),
            Json::Bool(b) => b.to_string(),
            Json::Number(n) => (*n).into(),
            Json::String(s) => format!("{s:?}"),
            Json::Array(values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(",")),
            Json::Object(members) => {
                let members: Vec<_> = members.iter().map(|(n, v)| format!("{n:?}:{}", show(v))).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    #[test]
    fn sound_documents() {
        check(
            r#" {"a": [1, -2.5e3, true, false, null], "b": {}} "#,
            r#"{"a":[1,-2.5e3,true,false,null],"b":{}}"#,
            true,
        );
        check(r#""\u5de5\u4eba \ud83d\ude00 \"\\\/\n\t""#, r#""工人 😀 \"\\/\n\t""#, true);
        check("[]", "[]", true);
    }

    #[test]
    fn broken_documents() {
        check(r#"{"a": [1, 2"#, r#"{"a":[1,2]}"#, false);
        check(r#"{"a": [{"b": "c"}, {"d": "e"#, r#"{"a":[{"b":"c"},{}]}"#, false);
        check(r#"{"a": 1,}"#, r#"{"a":1}"#, false);
        check(r"[1,,2,]", "[1,2]", false);
        check(r#"{"a": 1 "b": 2}"#, r#"{"a":1,"b":2}"#, false);
        check(r#"{"a": nonsense, "b": 2}"#, r#"{"b":2}"#, false);
        check(r#"{a: 1, "b": 2}"#, r#"{"b":2}"#, false);
        check(r#"{"a": [1, 2}, "b": 3"#, r#"{"a":[1,2]}"#, false);
        check("{[1], \"a\": 2}", r#"{"a":2}"#, false);
        check("{{}:}", "{}", false);
        check("[1] trailing", "[1]", false);
        check(r#""\ud800 \u12""#, "\"\u{FFFD} 12\"", true);
        check("", "null", false);
        check("\"\\", "null", false);
        check(&"[".repeat(100_000), &format!("{}{}", "[".repeat(65), "]".repeat(65)), false);
    }
}
