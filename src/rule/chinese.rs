//! `chinese`: simplified or traditional characters, by the dictionaries of `OpenCC`. Only with the cargo feature
//! `chinese-variants`, since the dictionaries make the program larger.
//!
//! ```yaml
//! rules:
//!   - chinese: simplified
//! ```

use super::{Act, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, key};
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "chinese",
    ConfigKind::Word(&["simplified", "traditional"]),
    "Converts title, summary, full text, names and categories of Chinese entries, and sets their language to \
     `zh-Hans` or `zh-Hant`. Entries in other languages, addresses, and what is written so already stay. Needs \
     the feature `chinese-variants`, which is built in by default.",
    "simplified",
);

#[cfg(not(feature = "chinese-variants"))]
pub(super) fn make(_: &Value) -> Result<Arc<dyn Act>, Mistake> {
    Err(Mistake::new(
        "this Heliu was built without `chinese-variants`, which the rule `chinese` needs",
        "build it with its default features (`cargo build --release`), use the container image, or remove the rule",
    ))
}

/// One character as it is written in simplified Chinese; without `chinese-variants` as it is.
#[cfg(not(feature = "chinese-variants"))]
pub(crate) fn simplified(letter: char) -> char {
    letter
}

#[cfg(feature = "chinese-variants")]
pub(super) use with_dictionaries::make;
#[cfg(feature = "chinese-variants")]
pub(crate) use with_dictionaries::simplified;

#[cfg(feature = "chinese-variants")]
mod with_dictionaries {
    use super::super::condition::begins_with;
    use super::super::{Around, Draft};
    use super::{Act, Arc, Mistake, Value};
    use crate::extract::{self, Edited};
    use crate::model::Person;
    use ferrous_opencc::OpenCC;
    use ferrous_opencc::config::BuiltinConfig;
    use std::sync::LazyLock;

    static TO_SIMPLIFIED: LazyLock<Option<OpenCC>> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::T2s).ok());
    static TO_TRADITIONAL: LazyLock<Option<OpenCC>> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::S2t).ok());

    /// The characters from U+3400 to U+9FFF in simplified Chinese, read from the dictionary once.
    static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
        let own: Vec<char> = ('\u{3400}'..='\u{9FFF}').collect();
        let Some(dictionary) = TO_SIMPLIFIED.as_ref() else { return own };
        // One on each line, so that no two of them are taken for a word.
        let lines: String = own.iter().flat_map(|letter| [*letter, '\n']).collect();
        let found: Vec<char> = dictionary.convert(&lines).lines().filter_map(|line| line.chars().next()).collect();
        if found.len() == own.len() { found } else { own }
    });

    pub(crate) fn simplified(letter: char) -> char {
        let place = u32::from(letter).checked_sub(0x3400).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| SIMPLIFIED.get(place).copied()).unwrap_or(letter)
    }

    /// How much of an entry is looked at to tell how it is written, in bytes.
    const LOOKED_AT: usize = 16 << 10;

    #[derive(Debug)]
    struct Chinese {
        simplified: bool,
    }

    pub(in super::super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
        let rule = Chinese { simplified: value.as_text() != "traditional" };
        if rule.dictionary().is_none() {
            return Err(Mistake::new(
                "the dictionaries of `chinese` cannot be read",
                "report this: the program is broken",
            ));
        }
        Ok(Arc::new(rule))
    }

    impl Chinese {
        fn dictionary(&self) -> Option<&'static OpenCC> {
            if self.simplified { TO_SIMPLIFIED.as_ref() } else { TO_TRADITIONAL.as_ref() }
        }

        fn tag(&self) -> &'static str {
            if self.simplified { "zh-Hans" } else { "zh-Hant" }
        }

        /// Whether the entry is Chinese and not said to be written so already.
        fn applies(&self, tag: &str) -> bool {
            let done: &[&str] = if self.simplified { &["zh-Hans"] } else { &["zh-Hant", "zh-TW", "zh-HK", "zh-MO"] };
            begins_with(tag, "zh") && !done.iter().any(|range| begins_with(tag, range))
        }

        /// Whether a text is written in the other way: converting it changes more than converting it back. A text
        /// in traditional characters must not be taken for simplified where the two overlap (干, 后, 里).
        fn is_other(&self, text: &str) -> bool {
            let (Some(simplified), Some(traditional)) = (TO_SIMPLIFIED.as_ref(), TO_TRADITIONAL.as_ref()) else {
                return false;
            };
            let text = &text[..text.floor_char_boundary(LOOKED_AT)];
            let differs = |by: &OpenCC| by.convert(text).chars().zip(text.chars()).filter(|(a, b)| a != b).count();
            let (to, back) = if self.simplified { (simplified, traditional) } else { (traditional, simplified) };
            differs(to) > differs(back)
        }
    }

    impl Act for Chinese {
        fn entry(&self, draft: &mut Draft<'_>, around: &Around<'_>) -> bool {
            let entry = draft.entry();
            let Some(by) = self.dictionary() else { return true };
            if !self.applies(entry.language.as_deref().unwrap_or(around.language)) {
                return true;
            }
            let words = [&entry.title, entry.summary.as_deref().unwrap_or_default(), draft.text()].join("\n");
            if !self.is_other(&words) {
                return true;
            }
            let title = by.convert(&entry.title);
            let content = entry.content.clone();
            draft.set_title(&title);
            match content.map_or(Edited::Same, |html| extract::map_text(&html, |text| by.convert(text))) {
                Edited::Changed(html) => draft.set_content(&html),
                Edited::Limit => draft.note(|| "the text goes past a safety limit; it stays".to_owned()),
                Edited::Same | Edited::Empty => {}
            }
            let entry = draft.edit();
            let convert = |text: &mut String| *text = by.convert(text);
            let people = |people: &mut Vec<Person>| people.iter_mut().for_each(|person| convert(&mut person.name));
            entry.summary.iter_mut().for_each(convert);
            people(&mut entry.authors);
            people(&mut entry.contributors);
            for category in &mut entry.categories {
                convert(&mut category.term);
                category.label.iter_mut().for_each(convert);
            }
            entry.language = Some(self.tag().to_owned());
            true
        }
    }
}

#[cfg(all(test, not(feature = "chinese-variants")))]
mod tests {
    use super::*;

    #[test]
    fn without_its_dictionaries_the_rule_is_refused() {
        let mistake = make(&Value::Text("simplified".to_owned())).unwrap_err();
        assert!(mistake.message.contains("built without `chinese-variants`"), "{mistake:?}");
        assert!(mistake.help.contains("default features"), "{mistake:?}");
    }
}

#[cfg(all(test, feature = "chinese-variants"))]
mod tests {
    use super::super::tests::{entry_by, record};
    use crate::model::{Category, Person};

    #[test]
    fn every_text_of_an_entry_is_converted() {
        let mut record = record(1);
        let entry = &mut record.entry;
        entry.title = "李子柒为何能走红海外".to_owned();
        entry.summary = Some("汉字与头发".to_owned());
        entry.content = Some(
            "<p title=\"汉\">干扰<a href=\"http://a.example/汉字\" rel=\"noopener noreferrer\">网络</a></p>".to_owned(),
        );
        entry.authors = vec![Person::named("刘建国")];
        entry.categories = vec![Category { term: "时评".to_owned(), ..Category::default() }];
        let found = entry_by("[{ chinese: traditional }]", &record).unwrap();
        let after = &found.entry;
        assert_eq!(after.title, "李子柒爲何能走紅海外");
        assert_eq!(after.summary.as_deref(), Some("漢字與頭髮"));
        let content = after.content.as_deref().unwrap();
        assert!(content.contains("干擾<a href=\"http://a.example/%E6%B1%89%E5%AD%97\""), "{content}");
        assert!(content.contains("網絡") && content.contains("title=\"汉\""), "{content}");
        assert_eq!((after.authors[0].name.as_str(), after.categories[0].term.as_str()), ("劉建國", "時評"));
        assert_eq!(after.language.as_deref(), Some("zh-Hant"));
        assert_eq!(entry_by("[{ chinese: traditional }]", &found), Some(found.clone()), "twice");
        let back = entry_by("[{ chinese: simplified }]", &found).unwrap().entry;
        assert_eq!((back.title, back.summary), (record.entry.title, record.entry.summary));
    }

    #[test]
    fn what_is_written_so_or_in_another_language_stays() {
        for (rule, language, title) in [
            ("traditional", None, "乾淨的網絡干擾"),
            ("traditional", Some("zh-TW"), "这是简体"),
            ("traditional", Some("ja"), "国会の学者"),
            ("simplified", Some("ja"), "國會の學者"),
            ("simplified", None, "头发和干扰"),
            ("simplified", None, "plain words"),
        ] {
            let mut record = record(1);
            record.entry.title = title.to_owned();
            record.entry.content = None;
            record.entry.language = language.map(str::to_owned);
            assert_eq!(entry_by(&format!("[{{ chinese: {rule} }}]"), &record).unwrap(), record, "{rule} {title}");
        }
    }
}
