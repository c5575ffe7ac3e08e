//! Regular expressions of rules. The crate's take linear time; what they may make is bounded here.

use super::Mistake;
use regex::{Captures, Regex, RegexBuilder};
use std::borrow::Cow;

/// Compiles a pattern that is matched as it is written.
pub(super) fn exact(pattern: &str) -> Result<Regex, Mistake> {
    compile(RegexBuilder::new(pattern).size_limit(1 << 20))
}

/// Compiles a pattern for text that went through [`fold`]: in any case, full or half width.
pub(super) fn folding(pattern: &str) -> Result<Regex, Mistake> {
    compile(RegexBuilder::new(&fold_pattern(pattern)).case_insensitive(true).size_limit(1 << 20))
}

fn compile(builder: &RegexBuilder) -> Result<Regex, Mistake> {
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            Mistake::new("the regular expression is too big when compiled", "use smaller repetitions")
        }
        _ => Mistake::new("bad regular expression", "the syntax is that of Rust's regex crate"),
    })
}

/// Text in half width: `ＡＢＣ（１）` becomes `ABC(1)`.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| half_width(c) != c) {
        Cow::Owned(text.chars().map(half_width).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    }
}

/// The same for a pattern: what means itself in full width must not begin to mean something in half width.
fn fold_pattern(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        let half = half_width(c);
        if half != c && half == ' ' {
            out.push_str(r"\x20");
            continue;
        }
        if half != c && half.is_ascii_punctuation() && !matches!(half, '<' | '>') {
            out.push('\\');
        }
        out.push(half);
    }
    out
}

/// Replaces every match; `None` when nothing matches, an error when the result would be longer than `most` bytes.
pub(super) fn replace(regex: &Regex, text: &str, with: &str, most: usize) -> Result<Option<String>, TooLong> {
    let mut out = String::new();
    let mut done = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = Captures::get(&captures, 0) else { continue };
        out.push_str(&text[done..whole.start()]);
        captures.expand(with, &mut out);
        done = whole.end();
        if out.len() > most {
            return Err(TooLong);
        }
    }
    if out.is_empty() && done == 0 {
        return Ok(None);
    }
    out.push_str(&text[done..]);
    Ok(Some(out).filter(|out| out != text))
}

/// The result of a replacement went past its limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_in_any_width_and_case() {
        for (pattern, text, expected) in [
            ("广告|推广", "【推广】夏日", true),
            ("AD", "ｆｏｒ ａｄ", true),
            ("（广告）", "看(广告)这里", true),
            ("（广告）", "看广告这里", false),
            (r"^\(广告\)", "（广告）", true),
            ("[（(]图[)）]", "（图)", true),
            ("１００％", "100%", true),
            ("＋", "1+1", true),
            ("ａ　ｂ", "A B", true),
            ("(?-i)ad", "AD", false),
            ("．", "x", false),
        ] {
            assert_eq!(folding(pattern).unwrap().is_match(&fold(text)), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn replacements_are_bounded() {
        let exact = |pattern: &str| exact(pattern).unwrap();
        let check = |pattern: &str, text: &str, with: &str| replace(&exact(pattern), text, with, 100);
        assert_eq!(check("b+", "abbc", "x"), Ok(Some("axc".to_owned())));
        assert_eq!(check("(b)(c)", "abc", "$2$1"), Ok(Some("acb".to_owned())));
        assert_eq!(check("^【转载】", "【转载】标题", ""), Ok(Some("标题".to_owned())));
        assert_eq!(check("^a$", "a", ""), Ok(Some(String::new())));
        assert_eq!(check("z", "abc", "x"), Ok(None));
        assert_eq!(check("a", "abc", "a"), Ok(None), "no change");
        assert_eq!(check("", &"a".repeat(90), "0123456789"), Err(TooLong));
    }

    #[test]
    fn a_pattern_that_grows_too_big_is_refused() {
        assert!(exact(r"\w{9999}").is_err());
        assert!(folding(r"(\w{500}){500}").is_err());
    }
}
