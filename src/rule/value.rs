//! What feeds.yaml says to a rule: values that `config` has checked by the key table.

use std::fmt::{self, Write as _};
use std::time::Duration;

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A whole number in the range that the key allows.
    Count(u32),
    /// A span of time.
    Span(Duration),
    /// Text, a regular expression, a CSS selector, a language tag or one of a key's words.
    Text(String),
    /// A map.
    Map(Values),
    /// A list of maps.
    List(Vec<Values>),
}

/// The keys of a map with their values, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(pub Vec<(&'static str, Value)>);

impl Values {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.get(name) { Some(text) } else { None }
    }
    pub(super) fn count(&self, name: &str) -> Option<usize> {
        if let Some(Value::Count(count)) = self.get(name) { usize::try_from(*count).ok() } else { None }
    }
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        if let Some(Value::Flag(flag)) = self.get(name) { Some(*flag) } else { None }
    }
}

impl Value {
    /// The map; one without keys for `true`.
    pub(super) fn map(&self) -> Values {
        if let Self::Map(values) = self { values.clone() } else { Values::default() }
    }
    pub(super) fn as_text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// As YAML in one line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Span(span) => write_span(span.as_secs(), f),
            Self::Text(text) => write_text(text, f),
            Self::Map(values) => write!(f, "{values}"),
            Self::List(list) => {
                f.write_char('[')?;
                for (index, values) in list.iter().enumerate() {
                    write!(f, "{}{values}", if index == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("{}");
        }
        f.write_str("{ ")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}: {value}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str(" }")
    }
}

fn write_span(seconds: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (unit, name) in [(86_400, 'd'), (3600, 'h'), (60, 'm')] {
        if seconds.is_multiple_of(unit) {
            return write!(f, "{}{name}", seconds / unit);
        }
    }
    write!(f, "{seconds}s")
}

/// Plain where YAML takes it as that very text, else in quotes.
fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_word = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        && text.chars().next().is_some_and(char::is_alphabetic)
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if is_word { f.write_str(text) } else { write!(f, "'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_yaml() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (value, expected) in [
            (text("广告"), "广告"),
            (text("a: 'b'"), "'a: ''b'''"),
            (text("true"), "'true'"),
            (text(""), "''"),
            (Value::Span(Duration::from_hours(24 * 30)), "30d"),
            (Value::Span(Duration::from_mins(90)), "90m"),
            (Value::Map(Values::default()), "{}"),
            (
                Value::List(vec![
                    Values(vec![("title", text("a|b")), ("has_image", Value::Flag(true))]),
                    Values(vec![("not", Value::Map(Values(vec![("author", text("张"))])))]),
                ]),
                "[{ title: 'a|b', has_image: true }, { not: { author: 张 } }]",
            ),
        ] {
            assert_eq!(value.to_string(), expected);
        }
    }
}
