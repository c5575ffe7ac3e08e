//! Text as YAML scalars.

/// A title or a name: plain where that is safe in a block and between brackets, else in quotes.
pub(super) fn shown(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Text in single quotes, in which only the quote itself means something (YAML 1.2 section 7.3.2).
/// The text holds no line end and no control character.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Letters, digits and harmless marks that begin with a letter and are no word of YAML's own.
fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    let inner = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | '+' | '·' | '、');
    text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(inner)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_plain_where_that_is_safe() {
        for (text, expected) in [
            ("中工时评", "中工时评"),
            ("a-2_b", "a-2_b"),
            ("2600", "'2600'"),
            ("News / China", "News / China"),
            ("中工评论·时事", "中工评论·时事"),
            ("yes", "'yes'"),
            ("Null", "'Null'"),
            ("1e5", "'1e5'"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("it's", "'it''s'"),
            ("[x]", "'[x]'"),
            ("a, b", "'a, b'"),
            ("- a", "'- a'"),
            ("", "''"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
