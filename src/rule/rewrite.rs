//! `rewrite`: replaces what a regular expression matches in one field.
//!
//! ```yaml
//! rules:
//!   - rewrite: { field: title, pattern: '^【转载】', with: '' }
//!   - rewrite: { field: link, pattern: '^http://m\.', with: 'https://www.' }
//! ```

use super::pattern::{exact, replace};
use super::{Act, Around, Draft, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, Section, key};
use crate::normalise::{html, text, url};
use regex::Regex;
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "rewrite",
    ConfigKind::One(&SECTION),
    "Replaces what a regular expression matches in one field.",
    "{ field: title, pattern: '^【转载】', with: '' }",
);

pub(super) static SECTION: Section = Section {
    name: "`rewrite`",
    doc: "A replacement in one field. What it makes is checked like anything that a source says: a full text is \
          sanitised again, a link that is no longer an http(s) address and a title that would be empty stay as they \
          were, and an author or category of which nothing is left goes.",
    keys: &[
        key(
            "field",
            ConfigKind::Word(&["title", "link", "summary", "content", "author", "category"]),
            "The field: each author's name and each category by itself, the full text as HTML.",
            "title",
        )
        .required(),
        key(
            "pattern",
            ConfigKind::Pattern(&[]),
            "The regular expression; unlike in conditions it tells cases (`(?i)` does not) and widths apart.",
            "'^【转载】'",
        )
        .required(),
        key("with", ConfigKind::Replacement, "What takes the place of every match; `$1` names groups.", "''")
            .required(),
    ],
};

/// The longest that a line may become before it is cut as lines are, in bytes.
const LINE: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Link,
    Summary,
    Content,
    Author,
    Category,
}

#[derive(Debug)]
struct Rewrite {
    field: Field,
    pattern: Regex,
    with: String,
}

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    let values = value.map();
    let field = match values.text("field") {
        Some("title") => Field::Title,
        Some("link") => Field::Link,
        Some("summary") => Field::Summary,
        Some("content") => Field::Content,
        Some("author") => Field::Author,
        Some("category") => Field::Category,
        _ => return Err(Mistake::new("`rewrite` needs `field`", "such as `field: title`")),
    };
    let pattern = exact(values.text("pattern").unwrap_or_default())?;
    let with = values.text("with").unwrap_or_default().to_owned();
    Ok(Arc::new(Rewrite { field, pattern, with }))
}

impl Rewrite {
    /// The new text, when there is one.
    fn rewritten(&self, draft: &mut Draft<'_>, old: &str) -> Option<String> {
        let most = if self.field == Field::Content { html::LONGEST } else { LINE };
        replace(&self.pattern, old, &self.with, most).unwrap_or_else(|_| {
            draft.note(|| format!("the replacement would be longer than {most} bytes; the field stays"));
            None
        })
    }

    fn link(&self, draft: &mut Draft<'_>) {
        let Some(old) = draft.entry().url.clone() else { return };
        let Some(new) = self.rewritten(draft, &old) else { return };
        // Relative to nothing: only a whole address is one.
        match ::url::Url::parse("data:,").ok().map(|base| url::resolve(&base, &new)) {
            Some(Ok(url)) if url.as_str() == old => {}
            Some(Ok(url)) => draft.edit().url = Some(url.into()),
            Some(Err(refused)) => draft.note(|| format!("{refused}; the link stays")),
            None => {}
        }
    }

    fn authors(&self, draft: &mut Draft<'_>) {
        let mut authors = Vec::new();
        for mut author in draft.entry().authors.clone() {
            if let Some(new) = self.rewritten(draft, &author.name) {
                let Some(name) = text::name(&new) else { continue };
                author.name = name;
            }
            if !authors.contains(&author) {
                authors.push(author);
            }
        }
        if authors != draft.entry().authors {
            draft.edit().authors = authors;
        }
    }

    fn categories(&self, draft: &mut Draft<'_>) {
        let mut categories = Vec::new();
        for mut category in draft.entry().categories.clone() {
            if let Some(new) = self.rewritten(draft, &category.term) {
                let Some(term) = text::name(&new) else { continue };
                category.term = term;
            }
            if let Some(new) = category.label.clone().and_then(|label| self.rewritten(draft, &label)) {
                category.label = text::name(&new);
            }
            if !categories.contains(&category) {
                categories.push(category);
            }
        }
        if categories != draft.entry().categories {
            draft.edit().categories = categories;
        }
    }
}

impl Act for Rewrite {
    fn entry(&self, draft: &mut Draft<'_>, _: &Around<'_>) -> bool {
        match self.field {
            Field::Title => {
                let old = draft.entry().title.clone();
                if let Some(new) = self.rewritten(draft, &old) {
                    draft.set_title(&new);
                }
            }
            Field::Link => self.link(draft),
            Field::Summary => {
                let old = draft.entry().summary.clone().unwrap_or_default();
                if let Some(new) = self.rewritten(draft, &old) {
                    draft.edit().summary = text::summary(&crate::model::Text::plain(new));
                }
            }
            Field::Content => {
                let old = draft.entry().content.clone().unwrap_or_default();
                if let Some(new) = self.rewritten(draft, &old) {
                    draft.set_content(&new);
                }
            }
            Field::Author => self.authors(draft),
            Field::Category => self.categories(draft),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{around, entry_by, record, rules};
    use crate::model::{Category, Person};

    #[test]
    fn fields() {
        let mut base = record(1);
        let entry = &mut base.entry;
        entry.title = "【转载】标题".to_owned();
        entry.summary = Some("摘要：一句话".to_owned());
        entry.content = Some("<p>正文</p><p>广告</p>".to_owned());
        entry.authors = vec![Person::named("记者 张三"), Person::named("张三"), Person::named("记者 ")];
        entry.categories =
            ["a/时评", "b/时评", "b/"].map(|term| Category { term: term.to_owned(), ..Category::default() }).into();
        for (rule, shown) in [
            ("{ field: title, pattern: '^【转载】', with: '' }", "标题"),
            ("{ field: title, pattern: '.+', with: ' ' }", "【转载】标题"),
            ("{ field: title, pattern: '【(.)(.)】', with: '${2}$1 ' }", "载转 标题"),
            ("{ field: link, pattern: '^http:', with: 'https:' }", "https://a.example/1"),
            ("{ field: link, pattern: '^http:', with: 'javascript:' }", "http://a.example/1"),
            ("{ field: link, pattern: '^http:', with: '' }", "http://a.example/1"),
            ("{ field: link, pattern: '^', with: '/' }", "http://a.example/1"),
            ("{ field: link, pattern: '.*', with: '' }", "http://a.example/1"),
            ("{ field: summary, pattern: '^摘要：', with: '' }", "一句话"),
            ("{ field: summary, pattern: '.*', with: '' }", "None"),
            ("{ field: content, pattern: '<p>广告</p>', with: '' }", "<p>正文</p>"),
            (
                "{ field: content, pattern: '广告', with: '<script>x</script><b onclick=1>' }",
                "<p>正文</p><p><b></b></p>",
            ),
            ("{ field: content, pattern: '广告', with: '<a href=\"/x\">' }", "http://a.example/x"),
            ("{ field: content, pattern: '(?s).*', with: '' }", "None"),
            ("{ field: content, pattern: '$', with: \"\\u0007\" }", "<p>正文</p><p>广告</p>"),
            ("{ field: author, pattern: '^记者 ', with: '' }", "[张三]"),
            ("{ field: category, pattern: '^./', with: '' }", "[时评]"),
        ] {
            let found = entry_by(&format!("[{{ rewrite: {rule} }}]"), &base).unwrap().entry;
            let names = |names: Vec<String>| format!("[{}]", names.join(", "));
            let field = match rule.split([' ', ',']).nth(2).unwrap() {
                "title" => found.title,
                "link" => found.url.unwrap(),
                "summary" => found.summary.unwrap_or_else(|| "None".to_owned()),
                "content" => found.content.unwrap_or_else(|| "None".to_owned()),
                "author" => names(found.authors.into_iter().map(|person| person.name).collect()),
                _ => names(found.categories.into_iter().map(|category| category.term).collect()),
            };
            assert!(field == shown || shown.starts_with("http") && field.contains(shown), "{rule}: {field}");
        }
    }

    #[test]
    fn what_cannot_be_is_noted() {
        let mut base = record(1);
        base.entry.content = Some("字".repeat(100_000));
        for (rule, note) in [
            ("{ field: title, pattern: '.+', with: '' }", "would be empty"),
            ("{ field: link, pattern: '^http', with: ftp }", "ftp: is neither"),
            ("{ field: content, pattern: 'x*', with: '0123456789012345678901234567890' }", "longer than 2097152 bytes"),
        ] {
            let steps = rules(&format!("[{{ rewrite: {rule} }}]")).explain(&base, &around());
            assert_eq!(steps[0].after.as_ref(), Some(&base), "{rule}");
            assert!(steps[0].notes[0].contains(note), "{:?}", steps[0].notes);
        }
    }
}
