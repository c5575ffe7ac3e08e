//! Names for what is imported: from titles, else from addresses; never twice.

use std::collections::{HashMap, HashSet};
use url::Url;

/// The longest name that is made; the rules allow 64, and a number may follow.
const LONGEST: usize = 48;

/// Names that say nothing: what many feeds and all feed addresses are called.
const EMPTY: &[&str] =
    &["rss", "rss2", "feed", "feeds", "atom", "xml", "index", "untitled", "home", "default", "json", "rss-xml", "all"];

/// A name made of words, if enough of them can be written in a to z.
pub(super) fn of_title(title: &str) -> Option<String> {
    let mut out = String::new();
    let (mut letters, mut written) = (0, 0);
    for letter in title.chars() {
        letters += usize::from(letter.is_alphanumeric());
        let folded = fold(letter);
        written += usize::from(!folded.is_empty());
        push(&mut out, if folded.is_empty() { "-" } else { &folded }, letter == '\'' || letter == '’');
    }
    let name = cut(&out);
    (written * 10 >= letters * 7 && written >= 2 && !EMPTY.contains(&name.as_str())).then_some(name)
}

/// A name made of host and path.
pub(super) fn of_address(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let mut out = String::new();
    push_all(&mut out, host.strip_prefix("www.").unwrap_or(host));
    for segment in url.path().split('/').chain(url.query()) {
        let stem = segment.rsplit_once('.').map_or(segment, |(stem, _)| stem);
        if !stem.is_empty() && !EMPTY.contains(&stem.to_ascii_lowercase().as_str()) {
            out.push('-');
            push_all(&mut out, stem);
        }
    }
    let name = cut(&out);
    if name.is_empty() { "feed".to_owned() } else { name }
}

fn push_all(out: &mut String, text: &str) {
    for letter in text.chars() {
        let folded = if letter.is_ascii() { fold(letter) } else { String::new() };
        push(out, if folded.is_empty() { "-" } else { &folded }, false);
    }
}

/// Appends a part; runs of `-` become one, and what joins words (`it's`) is left out.
fn push(out: &mut String, part: &str, joins: bool) {
    if part != "-" {
        out.push_str(part);
    } else if !joins && !out.is_empty() && !out.ends_with('-') {
        out.push('-');
    }
}

/// At most `LONGEST` bytes, cut between words where one ends near.
fn cut(text: &str) -> String {
    let text = text.trim_matches(['-', '_']);
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let short = &text[..LONGEST];
    let word = short.rfind('-').filter(|at| *at >= LONGEST / 2).unwrap_or(LONGEST);
    short[..word].trim_matches(['-', '_']).to_owned()
}

/// A letter in a to z, 0 to 9 and `_`; empty for what cannot be written so.
fn fold(letter: char) -> String {
    const FOLDS: &[(&str, &str)] = &[
        ("a", "àáâãåāăąǎ"),
        ("ae", "äæ"),
        ("c", "çćĉċč"),
        ("d", "ďđð"),
        ("e", "èéêëēĕėęě"),
        ("g", "ĝğġģ"),
        ("h", "ĥħ"),
        ("i", "ìíîïĩīĭįıǐ"),
        ("j", "ĵ"),
        ("k", "ķ"),
        ("l", "ĺļľłŀ"),
        ("n", "ñńņňŋ"),
        ("o", "òóôõøōŏőǒ"),
        ("oe", "öœ"),
        ("r", "ŕŗř"),
        ("s", "śŝşšș"),
        ("ss", "ß"),
        ("t", "ţťŧț"),
        ("th", "þ"),
        ("u", "ùúûũūŭůűųǔ"),
        ("ue", "ü"),
        ("w", "ŵ"),
        ("y", "ýÿŷ"),
        ("z", "źżž"),
    ];
    if letter.is_ascii_alphanumeric() || letter == '_' {
        return letter.to_ascii_lowercase().to_string();
    }
    if letter.is_ascii() || !letter.is_alphanumeric() {
        return String::new();
    }
    // Full-width Latin letters, as Chinese titles use them.
    if let '！'..='～' = letter {
        return char::from_u32(u32::from(letter) - 0xFEE0).map(fold).unwrap_or_default();
    }
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    FOLDS
        .iter()
        .find(|(_, letters)| letters.contains(lower))
        .map(|(folded, _)| (*folded).to_owned())
        .unwrap_or_default()
}

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    names: HashSet<String>,
    /// The number to try next behind a name.
    next: HashMap<String, u32>,
}

impl Taken {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self { names: names.map(str::to_owned).collect(), next: HashMap::new() }
    }

    /// `base`, or `base-2`, `base-3`, …: the first that is free, and free no more.
    pub(super) fn take(&mut self, base: &str) -> String {
        if self.names.insert(base.to_owned()) {
            return base.to_owned();
        }
        let next = self.next.entry(base.to_owned()).or_insert(2);
        loop {
            let name = format!("{base}-{next}");
            *next += 1;
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChannelId;

    #[test]
    fn titles_become_names_where_they_can() {
        for (title, expected) in [
            ("Hacker News", Some("hacker-news")),
            ("It's a  Test!", Some("its-a-test")),
            ("Straße nach Köln", Some("strasse-nach-koeln")),
            ("ＩＴ之家 ＲＳＳ ＮＥＷＳ", Some("it-rss-news")),
            ("36氪", None),
            ("中工时评", None),
            ("BBC 中文网新闻", None),
            ("RSS", None),
            ("_xy_", Some("xy")),
            ("!!", None),
            ("", None),
            ("News / China", Some("news-china")),
            (&"word ".repeat(40), Some("word-word-word-word-word-word-word-word-word")),
            (&"x".repeat(400), Some(&"x".repeat(48))),
        ] {
            let name = of_title(title);
            assert_eq!(name.as_deref(), expected, "{title}");
            assert!(name.is_none_or(|name| name.parse::<ChannelId>().is_ok()), "{title}");
        }
    }

    #[test]
    fn addresses_become_names() {
        for (url, expected) in [
            ("https://www.example.org/", "example-org"),
            ("https://example.org/blog/feed.xml", "example-org-blog"),
            ("https://example.org/rss?id=5&x=y", "example-org-id-5-x-y"),
            ("http://[::1]:8080/feed", "1"),
            ("https://例子.example/时评", "xn-fsqu00a-example-e6-97-b6-e8-af-84"),
        ] {
            let name = of_address(&url.parse().unwrap());
            assert_eq!(name, expected, "{url}");
            assert!(name.parse::<ChannelId>().is_ok(), "{name}");
        }
    }

    #[test]
    fn nothing_is_called_the_same() {
        let mut taken = Taken::new(["a", "a-3"].into_iter());
        assert_eq!(["a", "a", "b", "a-2"].map(|base| taken.take(base)), ["a-2", "a-4", "b", "a-2-2"]);
    }
}
