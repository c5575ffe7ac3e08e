//! `cut`: takes parts of the full text away: elements, everything from a marker on, everything past a length.
//!
//! ```yaml
//! rules:
//!   - cut: { remove: 'img[src*="/qrcode"]', from: '责任编辑', characters: 500 }
//! ```

use super::pattern::exact;
use super::{Act, Around, Draft, Mistake, Value};
use crate::extract::{self, Cut as At};
use crate::model::{ConfigKey, ConfigKind, Section, key};
use regex::Regex;
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "cut",
    ConfigKind::One(&SECTION),
    "Takes parts of the full text away: first elements, then everything from a marker on, then everything past a length.",
    "{ remove: 'img[src*=\"/qrcode\"]', from: '责任编辑[:：]', characters: 500 }",
);

pub(super) static SECTION: Section = Section {
    name: "`cut`",
    doc: "What is taken away from the full text. What remains is well-formed. A text of which nothing would remain, \
          neither words nor pictures, stays as it is.",
    keys: &[
        key("remove", ConfigKind::TextSelector, "A CSS selector: elements that match go.", "'img[src*=\"/qrcode\"]'"),
        key(
            "from",
            ConfigKind::Pattern(&[]),
            "A regular expression on the words of the text, `\\n` between paragraphs: its first match and everything \
             behind it go.",
            "'责任编辑[:：]'",
        ),
        key(
            "characters",
            ConfigKind::Count(20, 100_000),
            "The most characters: a longer text ends with the last sentence that fits, if that is past the middle, \
             else with `…`. White space counts as one.",
            "500",
        ),
    ],
};

#[derive(Debug)]
struct Cut {
    remove: Option<String>,
    from: Option<Regex>,
    characters: Option<usize>,
}

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    let values = value.map();
    let cut = Cut {
        remove: values.text("remove").map(str::to_owned),
        from: values.text("from").map(exact).transpose()?,
        characters: values.count("characters"),
    };
    if cut.remove.is_none() && cut.from.is_none() && cut.characters.is_none() {
        return Err(Mistake::new("`cut` says nothing", "give it `remove`, `from` or `characters`"));
    }
    Ok(Arc::new(cut))
}

impl Act for Cut {
    fn entry(&self, draft: &mut Draft<'_>, _: &Around<'_>) -> bool {
        if let Some(css) = &self.remove {
            edit(draft, |html| extract::without(html, css));
        }
        if let Some(from) = &self.from {
            let at = |text: &str| from.find(text).map(|found| At { at: found.start(), ellipsis: false });
            edit(draft, |html| extract::cut(html, at));
        }
        if let Some(most) = self.characters {
            edit(draft, |html| extract::cut(html, |text| shorten(text, most)));
        }
        true
    }
}

/// Puts what `cut` made of the content in its place, unless nothing is left of it.
fn edit(draft: &mut Draft<'_>, cut: impl FnOnce(&str) -> extract::Edited) {
    let Some(content) = &draft.entry().content else { return };
    match cut(content) {
        extract::Edited::Same => {}
        extract::Edited::Empty => draft.note(|| "nothing would be left of the text; it stays".to_owned()),
        extract::Edited::Limit => draft.note(|| "the text goes past a safety limit; it stays".to_owned()),
        extract::Edited::Changed(html) => draft.set_content(&html),
    }
}

/// Where a text that is longer than `most` characters is cut.
fn shorten(text: &str, most: usize) -> Option<At> {
    let (mut count, mut sentence, mut last) = (0, None, 0);
    let mut space = true;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let is_space = c.is_whitespace();
        if !(is_space && space) {
            count += 1;
        }
        space = is_space;
        if count > most {
            // White space at the end is not missed.
            if text[at..].trim().is_empty() {
                return None;
            }
            return Some(sentence.unwrap_or(At { at: last, ellipsis: true }));
        }
        let next = characters.peek().map(|(_, next)| *next);
        if count < most && !next.is_some_and(joins) && !matches!(c, '\u{200D}') {
            last = at + c.len_utf8();
        }
        if ends_sentence(c, next) && count * 2 >= most {
            sentence = Some(At { at: at + c.len_utf8(), ellipsis: false });
        }
    }
    None
}

/// Whether a sentence or paragraph ends with `c`: not before a mark that still belongs to it.
fn ends_sentence(c: char, next: Option<char>) -> bool {
    let closes = |c: char| matches!(c, '”' | '’' | '」' | '』' | '）' | ')' | '"' | '。' | '！' | '？' | '…');
    match c {
        '。' | '！' | '？' | '…' | '；' | '”' | '」' | '』' => {
            // A closing quote ends a sentence only behind its mark, which has set the place already.
            !matches!(c, '”' | '」' | '』') && !next.is_some_and(closes)
        }
        '.' | '!' | '?' => next.is_none_or(char::is_whitespace),
        '\n' => true,
        _ => false,
    }
}

/// What belongs to the character before it.
fn joins(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{FE00}'..='\u{FE0F}' | '\u{200D}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{20D0}'..='\u{20FF}')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{around, entry_by, record, rules};

    fn check(rule: &str, content: &str, expected: &str) {
        let mut record = record(1);
        record.entry.content = Some(content.to_owned());
        let found = entry_by(&format!("[{{ cut: {rule} }}]"), &record).unwrap();
        assert_eq!(found.entry.content.as_deref(), Some(expected), "{rule} {content}");
        assert_eq!(entry_by(&format!("[{{ cut: {rule} }}]"), &found), Some(found), "twice");
    }

    #[test]
    fn elements_and_markers() {
        for (rule, content, expected) in [
            ("{ remove: img }", "<p>甲<img src=\"http://a.example/1\"></p>", "<p>甲</p>"),
            ("{ remove: 'p:contains(\"扫码\")' }", "<p>甲</p><p>扫码关注</p>", "<p>甲</p>"),
            ("{ remove: 'a[href*=\"/ad\"]' }", "<p>甲<a href=\"http://a.example/ad\">乙</a></p>", "<p>甲</p>"),
            ("{ remove: video }", "<p>甲 &amp; &lt;b&gt;</p>", "<p>甲 &amp; &lt;b&gt;</p>"),
            ("{ remove: p }", "<p>甲</p>", "<p>甲</p>"),
            ("{ from: 责任编辑 }", "<p>甲。</p><p>责任编辑：乙</p><p>丙</p>", "<p>甲。</p>"),
            ("{ from: 责任编辑 }", "<div><p>甲。<b>（责任编辑</b>：乙）</p></div>", "<div><p>甲。<b>（</b></p></div>"),
            ("{ from: '（?责任编辑' }", "<p>甲<br>（责任<b>编辑</b>：乙）</p>", "<p>甲</p>"),
            ("{ from: '\\n相关阅读' }", "<p>相关阅读量</p><p>相关阅读</p>", "<p>相关阅读量</p>"),
            ("{ from: 甲 }", "<p>甲</p>", "<p>甲</p>"),
            (
                "{ from: 甲 }",
                "<img src=\"http://a.example/1\" alt=\"a\"><p>甲</p>",
                "<img src=\"http://a.example/1\" alt=\"a\">",
            ),
            ("{ from: z }", "<ul><li value=\"3\">a</li><li>z</li></ul>", "<ul><li value=\"3\">a</li></ul>"),
        ] {
            check(rule, content, expected);
        }
    }

    #[test]
    fn lengths() {
        let sentence = |n: usize| format!("{}。", "字".repeat(n - 1));
        let rule = "{ characters: 20 }";
        check(rule, &format!("<p>{}</p>", sentence(20)), &format!("<p>{}</p>", sentence(20)));
        check(rule, &format!("<p>{}{}</p><p>x</p>", sentence(15), sentence(15)), &format!("<p>{}</p>", sentence(15)));
        check(
            rule,
            &format!("<p>{}</p><p>{}</p>", "字".repeat(12), "字".repeat(12)),
            &format!("<p>{}</p>", "字".repeat(12)),
        );
        check(rule, &format!("<p>{}</p>", "字".repeat(30)), &format!("<p>{}…</p>", "字".repeat(19)));
        check(
            rule,
            &format!("<p>{}<b>{}</b></p>", sentence(5), "字".repeat(30)),
            &format!("<p>{}<b>{}…</b></p>", sentence(5), "字".repeat(14)),
        );
        check(rule, "<p>3.5 percent. Another sentence.</p>", "<p>3.5 percent.</p>");
        check(rule, "<p>a    \n   b</p>\n\n\n<p>c</p>", "<p>a    \n   b</p>\n\n\n<p>c</p>");
        // Not between a letter and its mark.
        let marks = format!("{}e\u{301}{}", "x".repeat(18), "y".repeat(9));
        check(rule, &marks, &format!("{}…", "x".repeat(18)));
    }

    #[test]
    fn hostile_text_is_left_or_cut_but_never_breaks() {
        let mut record = record(1);
        for content in [
            "<div>".repeat(5000) + "x",
            format!("<p title=\"{}\">text</p>", "a ".repeat(20_000)),
            "&lt;".repeat(50_000),
            "<table><tr><td>a<table><tr><td>b".repeat(200),
        ] {
            record.entry.content = Some(content);
            let steps = rules("[{ cut: { remove: b, from: 'zz', characters: 20 } }]").explain(&record, &around());
            let after = steps[0].after.as_ref().unwrap().entry.content.clone();
            assert!(after.is_some());
        }
    }
}
