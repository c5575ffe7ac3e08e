//! HTML → tags and text in one pass, after the tokeniser of the HTML standard (section 13.2.5). The content
//! of elements whose text is not text for readers is passed over. It need not be exact: nothing it yields is
//! trusted, since ammonia parses what is written from it.

/// Most attributes of one tag that are looked at.
const ATTRIBUTES: usize = 64;

/// A piece of HTML. Names are lower case; values of attributes and text still hold character references.
pub(super) enum Token<'a> {
    Text(&'a str),
    Start { name: String, attributes: Vec<(String, &'a str)> },
    End(String),
}

/// Elements whose content is text up to their own end tag.
const RAW: &[&str] = &["script", "style", "iframe", "noembed", "noframes", "noscript", "textarea", "title", "xmp"];

pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// Goes on behind the first `end`, or to the end of the document.
    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at + end.len()..]);
    }

    fn take_while(&mut self, more: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !more(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn comment(&mut self) {
        if let Some(rest) = self.rest.strip_prefix("<!--") {
            self.rest = rest;
            if let Some(rest) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("->")) {
                self.rest = rest;
            } else {
                // `--!>` ends a comment as well. Looking for each of the two alone would look through the whole text
                // for every comment when there is none of the other.
                let ends = rest.match_indices('>').find(|(at, _)| {
                    let comment = &rest[..*at];
                    comment.ends_with("--") || comment.ends_with("--!")
                });
                self.rest = ends.map_or("", |(at, _)| &rest[at + 1..]);
            }
        } else {
            self.skip_past(">");
        }
    }

    /// The attributes up to and with the tag's `>`; `None` when the document ends first.
    fn attributes(&mut self) -> Option<Vec<(String, &'a str)>> {
        let mut found: Vec<(String, &'a str)> = Vec::new();
        loop {
            self.take_while(|c| c.is_ascii_whitespace() || c == '/');
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                return Some(found);
            }
            let first = self.rest.chars().next()?;
            let start = self.rest;
            self.rest = &self.rest[first.len_utf8()..];
            let more = self.take_while(|c| !c.is_ascii_whitespace() && !matches!(c, '/' | '>' | '='));
            let name = &start[..first.len_utf8() + more.len()];
            self.take_while(|c| c.is_ascii_whitespace());
            let value = if let Some(rest) = self.rest.strip_prefix('=') {
                self.rest = rest;
                self.value()?
            } else {
                ""
            };
            let name = name.to_ascii_lowercase();
            if found.len() < ATTRIBUTES && !found.iter().any(|(known, _)| *known == name) {
                found.push((name, value));
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        self.take_while(|c| c.is_ascii_whitespace());
        let quote = self.rest.chars().next()?;
        if !matches!(quote, '"' | '\'') {
            return Some(self.take_while(|c| !c.is_ascii_whitespace() && c != '>'));
        }
        let end = self.rest[1..].find(quote)?;
        let value = &self.rest[1..=end];
        self.rest = &self.rest[end + 2..];
        Some(value)
    }

    /// Goes to the end tag of an element whose content is not text for readers.
    fn skip_raw(&mut self, name: &str) {
        let mut from = 0;
        while let Some(at) = self.rest[from..].find("</").map(|at| from + at) {
            let behind = &self.rest[at + 2..];
            let named = behind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            if named && behind[name.len()..].starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')) {
                self.rest = &self.rest[at..];
                return;
            }
            from = at + 2;
        }
        self.rest = "";
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            let Some(at) = self.rest.find('<') else { return Some(Token::Text(std::mem::take(&mut self.rest))) };
            if at > 0 {
                let (text, rest) = self.rest.split_at(at);
                self.rest = rest;
                return Some(Token::Text(text));
            }
            let is_end = self.rest[1..].starts_with('/');
            let behind = &self.rest[if is_end { 2 } else { 1 }..];
            match behind.chars().next() {
                Some(c) if c.is_ascii_alphabetic() => {
                    self.rest = behind;
                    let name =
                        self.take_while(|c| !c.is_ascii_whitespace() && !matches!(c, '/' | '>')).to_ascii_lowercase();
                    let Some(attributes) = self.attributes() else {
                        self.rest = "";
                        return None;
                    };
                    if is_end {
                        return Some(Token::End(name));
                    }
                    if RAW.contains(&name.as_str()) {
                        self.skip_raw(&name);
                    } else if name == "plaintext" {
                        self.rest = "";
                    }
                    return Some(Token::Start { name, attributes });
                }
                Some('!' | '?') => self.comment(),
                _ if is_end => self.skip_past(">"),
                _ => {
                    let (text, rest) = self.rest.split_at(1);
                    self.rest = rest;
                    return Some(Token::Text(text));
                }
            }
        }
        None
    }
}
