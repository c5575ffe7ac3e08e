//! `prefix`: the source's name before the title: 「金羊网：李子柒为何能走红海外」.
//!
//! ```yaml
//! rules:
//!   - prefix: source
//! ```

use super::{Act, Around, Draft, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, key};
use crate::normalise::text;
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "prefix",
    ConfigKind::Word(&["source", "channel"]),
    "Puts a name and a colon before the title: that of the entry's source (without one, of its channel), or always \
     that of its channel. A title that begins with the name already stays as it is.",
    "source",
);

#[derive(Debug)]
struct Prefix {
    by_source: bool,
}

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    match value.as_text() {
        "source" => Ok(Arc::new(Prefix { by_source: true })),
        "channel" => Ok(Arc::new(Prefix { by_source: false })),
        other => Err(Mistake::new(format!("`prefix` knows no {other:?}"), "choose among source, channel")),
    }
}

impl Act for Prefix {
    fn entry(&self, draft: &mut Draft<'_>, around: &Around<'_>) -> bool {
        let entry = draft.entry();
        let source = entry.source.as_ref().map(|source| source.title.as_str()).filter(|_| self.by_source);
        let name = source.and_then(text::name).or_else(|| text::name(around.channel_title));
        let Some(name) = name.filter(|name| !begins(&entry.title, name)) else { return true };
        let colon = if is_chinese(&name) || is_chinese(&entry.title) { "：" } else { ": " };
        let title = format!("{name}{colon}{}", entry.title);
        draft.set_title(&title);
        true
    }
}

/// Whether a title names its source already: `金羊网：…`, `[金羊网] …`, `【金羊网】…`, `金羊网 | …`.
fn begins(title: &str, name: &str) -> bool {
    let opened = title.trim_start_matches(|c: char| "[【（(〔「".contains(c) || c.is_whitespace());
    let Some(rest) = title.strip_prefix(name).or_else(|| opened.strip_prefix(name)) else { return false };
    let marked = |c: char| ":：]】）)〕」|｜-—–·丨".contains(c) || c.is_whitespace();
    rest.is_empty() || rest.starts_with(marked)
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entry_by, record};
    use crate::model::Source;

    #[test]
    fn the_name_stands_before_the_title_once() {
        for (by, source, title, expected) in [
            ("source", "金羊网", "李子柒", "金羊网：李子柒"),
            ("source", "金羊网", "金羊网：李子柒", "金羊网：李子柒"),
            ("source", "金羊网", "【金羊网】李子柒", "【金羊网】李子柒"),
            ("source", "金羊网", "金羊网记者获奖", "金羊网：金羊网记者获奖"),
            ("source", "Reuters", "Markets rise", "Reuters: Markets rise"),
            ("source", "Reuters", "Reuters | Markets rise", "Reuters | Markets rise"),
            ("source", " \u{3000}", "标题", "频道：标题"),
            ("source", "", "标题", "频道：标题"),
            ("channel", "金羊网", "标题", "频道：标题"),
            ("source", "a\u{202E}b", "t", "ab: t"),
        ] {
            let mut record = record(1);
            record.entry.title = title.to_owned();
            record.entry.source =
                (!source.is_empty()).then(|| Source { title: source.to_owned(), ..Source::default() });
            let once = entry_by(&format!("[{{ prefix: {by} }}]"), &record).unwrap();
            assert_eq!(once.entry.title, expected, "{source} {title}");
            assert_eq!(entry_by(&format!("[{{ prefix: {by} }}]"), &once), Some(once));
        }
    }

    #[test]
    fn a_title_stays_bounded() {
        let mut record = record(1);
        record.entry.title = "长".repeat(500);
        let found = entry_by("[{ prefix: channel }]", &record).unwrap();
        assert_eq!(found.entry.title.chars().count(), 500);
        assert_eq!(entry_by("[{ prefix: channel }]", &found).unwrap(), found);
    }
}
