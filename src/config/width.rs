//! Full-width punctuation where YAML wants ASCII: a Chinese keyboard writes `limit：80`, which looks right and is text.

use super::diagnostic::{Diagnostic, Severity};

/// The most diagnostics that are looked at; no more are printed.
const MOST: usize = 100;
/// How many lines in front of a place a mistake of syntax may lie: the parser notices late.
const BEFORE: usize = 2;

/// The full-width form, what YAML wants, and what that is called.
const FORMS: &[(char, &str, &str)] = &[
    ('：', ": ", "colon"),
    ('，', ", ", "comma"),
    ('、', ", ", "comma"),
    ('［', "[", "bracket"),
    ('］', "]", "bracket"),
    ('【', "[", "bracket"),
    ('】', "]", "bracket"),
    ('｛', "{", "brace"),
    ('｝', "}", "brace"),
    ('－', "- ", "hyphen"),
    ('＃', "#", "number sign"),
    ('＊', "*", "asterisk"),
    ('＆', "&", "ampersand"),
    ('“', "\"", "quote"),
    ('”', "\"", "quote"),
    ('‘', "'", "quote"),
    ('’', "'", "quote"),
];

/// Says so in the help of each mistake that such a character explains.
pub(super) fn hint(diagnostics: &mut [Diagnostic], text: &str) {
    if text.is_ascii() {
        return;
    }
    let lines: Vec<&str> = text.lines().collect();
    for found in diagnostics.iter_mut().filter(|found| found.severity == Severity::Error).take(MOST) {
        let line =
            |number: usize| number.checked_sub(1).and_then(|index| lines.get(index)).copied().unwrap_or_default();
        let syntax = found.message.starts_with("this is not YAML");
        let meant = if syntax {
            // Latest first: what stands nearest explains best.
            (0..=BEFORE).find_map(|back| in_syntax(line(found.line.saturating_sub(back))))
        } else {
            in_value(line(found.line), found.column, found.width)
        };
        if let Some((form, ascii, name)) = meant {
            found.help = Some(format!("`{form}` is a full-width {name}; YAML wants `{ascii}` here"));
        }
    }
}

type Form = (char, &'static str, &'static str);

/// In a line that is not YAML: a key with a full-width colon, or a value, list or comment that begins with a
/// full-width mark. Inside a text such marks are none of our business.
fn in_syntax(line: &str) -> Option<Form> {
    let line = line.trim_start_matches([' ', '-', '{', '[']);
    let key = line.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if key.len() < line.len() && key.starts_with('：') {
        return form('：');
    }
    let value = key.strip_prefix(':').map_or(line, str::trim_start);
    form(value.chars().next()?).or_else(|| {
        // `[a, b］`, `{ a: b｝`
        let opened = value.starts_with(['[', '{']);
        form(value.trim_end().chars().next_back()?).filter(|(form, ..)| opened && matches!(form, '］' | '】' | '｝'))
    })
}

/// In a value that is wrong as a whole: `limit：80` where a map is wanted, `a，b` where a name is.
fn in_value(line: &str, column: usize, width: usize) -> Option<Form> {
    let value: String = line.chars().skip(column.saturating_sub(1)).take(width).collect();
    // What people read is quoted or long; names and keys are short and in one word of ASCII before the mark.
    let (at, mark) = value.char_indices().find(|(_, c)| form(*c).is_some())?;
    let before = &value[..at];
    let word = before.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if word { form(mark) } else { None }
}

fn form(c: char) -> Option<Form> {
    FORMS.iter().find(|(form, ..)| *form == c).copied()
}

#[cfg(test)]
mod tests {
    use crate::config::{Validators, load};
    use std::path::Path;

    #[test]
    fn full_width_punctuation_is_named() {
        let head =
            "service: { title: T, base_url: 'http://a.example/' }\nchannels: { n: { feed: 'http://b.example/' } }\n";
        for (feeds, hint) in [
            ("feeds:\n  n:\n    channels: [n]\n    limit：80\n", Some("full-width colon")),
            ("feeds:\n  n:\n    limit：80\n    channels: [n]\n", Some("full-width colon")),
            ("feeds:\n  n:\n    limit：80\n", Some("full-width colon")),
            ("feeds：\n  n: { channels: [n] }\n", Some("full-width colon")),
            ("feeds: { n: { channels: [n], limit：80 } }\n", Some("full-width colon")),
            ("feeds: { n: { channels: [n，m] } }\n", Some("full-width comma")),
            ("feeds: { n: { channels: ［n］ } }\n", Some("full-width bracket")),
            ("feeds: ｛ n: { channels: [n] } }\n", Some("full-width brace")),
            ("feeds: { n: { channels: [n］ } }\n", None),
            ("feeds:\n  n:\n    channels:\n      －n\n", Some("full-width hyphen")),
            ("feeds: { n: { channels: “n” } }\n", Some("full-width quote")),
            ("feeds: { n: { title: 一，二：三, chanels: [n] } }\n", None),
            ("feeds: { n: { description: 'a：b', limit: 0, channels: [n] } }\n", None),
        ] {
            let loaded = load(&format!("{head}{feeds}"), "f", Path::new(""), &Validators::default());
            assert!(loaded.config.is_none(), "{feeds}");
            let helps: Vec<_> = loaded.diagnostics.iter().filter_map(|found| found.help.as_deref()).collect();
            let told = helps.iter().any(|help| help.contains(hint.unwrap_or("full-width")));
            assert_eq!(told, hint.is_some(), "{feeds}: {:?}", loaded.diagnostics);
        }
    }
}
