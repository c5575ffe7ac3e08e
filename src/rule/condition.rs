//! Conditions on an entry: what `keep` and `drop` ask, joined by `any`, `all` and `not`.

use super::pattern::{fold, folding};
use super::{Around, Draft, Mistake, Value, Values};
use crate::extract;
use crate::model::{ConfigKind as Kind, Section, key};
use chrono::TimeDelta;
use regex::Regex;

/// How deep conditions may stand inside each other.
pub const MAX_DEPTH: usize = 5;

/// A condition.
pub static CONDITION: Section = Section {
    name: "a condition",
    doc: "What `keep` and `drop` ask of an entry. All keys must hold. Regular expressions match anywhere in the \
          field, in any case (`(?-i)` tells cases apart) and in full or half width: `（广告）` also matches `(广告)`. \
          A field that an entry does not have matches nothing.",
    keys: &[
        key("title", Kind::Pattern(&[]), "A regular expression on the title.", "'广告|推广'"),
        key("summary", Kind::Pattern(&[]), "A regular expression on the summary.", "'^摘要'"),
        key(
            "content",
            Kind::Pattern(&[]),
            "A regular expression on the words of the full text.",
            "'本文系.{0,20}推广'",
        ),
        key(
            "text",
            Kind::Pattern(&[]),
            "A regular expression on title, summary or the words of the full text: one of them is enough.",
            "赞助",
        ),
        key("author", Kind::Pattern(&[]), "A regular expression on the name of an author.", "'^张'"),
        key("category", Kind::Pattern(&[]), "A regular expression on a category.", "'^(时评|社论)$'"),
        key("source", Kind::Pattern(&[]), "A regular expression on the title of the source.", "新华社"),
        key(
            "link",
            Kind::Pattern(&[]),
            "A regular expression on the address of the entry's page.",
            r"'/video/|\.mp4$'",
        ),
        key("id", Kind::Pattern(&[]), "A regular expression on the id.", "'^tag:example\\.org,'"),
        key(
            "css",
            Kind::TextSelector,
            "A CSS selector: something in the full text matches it.",
            "'video, img[src*=\"/ad/\"]'",
        ),
        key(
            "language",
            Kind::Language,
            "A language tag that the entry's begins with: `zh` also means `zh-CN` (RFC 4647 section 3.3.1).",
            "zh",
        ),
        key(
            "older_than",
            Kind::Span,
            "Published earlier than this before the newest entry of the channel or feed.",
            "30d",
        ),
        key(
            "newer_than",
            Kind::Span,
            "Published at most this long before the newest entry of the channel or feed.",
            "12h",
        ),
        key("has_image", Kind::Bool, "Whether the entry has a picture, of its own or in its text.", "true"),
        key("has_content", Kind::Bool, "Whether the entry has a full text.", "false"),
        key("any", Kind::Conditions, "At least one of these conditions holds.", "[{ author: 张 }, { category: 时评 }]"),
        key("all", Kind::Conditions, "All these conditions hold.", "[{ title: 工人 }, { title: 权益 }]"),
        key("not", Kind::Condition, "This condition does not hold.", "{ category: 广告 }"),
    ],
};

/// A compiled condition: all tests must pass. The cheap ones stand first.
#[derive(Debug)]
pub(super) struct Condition(Vec<Test>);

#[derive(Debug)]
enum Test {
    Pattern(Field, Regex),
    Css(String),
    Language(String),
    Older(TimeDelta),
    Newer(TimeDelta),
    HasImage(bool),
    HasContent(bool),
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Condition),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Summary,
    Content,
    Text,
    Author,
    Category,
    Source,
    Link,
    Id,
}

const FIELDS: [(&str, Field); 9] = [
    ("title", Field::Title),
    ("summary", Field::Summary),
    ("content", Field::Content),
    ("text", Field::Text),
    ("author", Field::Author),
    ("category", Field::Category),
    ("source", Field::Source),
    ("link", Field::Link),
    ("id", Field::Id),
];

impl Condition {
    pub(super) fn new(values: &Values) -> Result<Self, Mistake> {
        Self::below(values, MAX_DEPTH)
    }

    fn below(values: &Values, depth: usize) -> Result<Self, Mistake> {
        if values.0.is_empty() {
            return Err(Mistake::new("the condition is empty", "say what it asks, such as `title: 广告`"));
        }
        let Some(depth) = depth.checked_sub(1) else {
            let message = format!("conditions stand inside each other deeper than {MAX_DEPTH}");
            return Err(Mistake::new(message, "write them flatter"));
        };
        let mut tests = Vec::new();
        for (name, value) in &values.0 {
            tests.push(test(name, value, depth)?);
        }
        tests.sort_by_key(Test::cost);
        Ok(Self(tests))
    }

    pub(super) fn holds(&self, draft: &Draft<'_>, around: &Around<'_>) -> bool {
        self.0.iter().all(|test| test.holds(draft, around))
    }
}

fn test(name: &str, value: &Value, depth: usize) -> Result<Test, Mistake> {
    let list = |value: &Value| -> Result<Vec<Condition>, Mistake> {
        match value {
            Value::List(list) => list.iter().map(|values| Condition::below(values, depth)).collect(),
            _ => Ok(Vec::new()),
        }
    };
    if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
        return Ok(Test::Pattern(*field, folding(value.as_text())?));
    }
    Ok(match (name, value) {
        ("css", _) => Test::Css(value.as_text().to_owned()),
        ("language", _) => Test::Language(value.as_text().to_owned()),
        ("older_than", Value::Span(span)) => Test::Older(TimeDelta::from_std(*span).unwrap_or(TimeDelta::MAX)),
        ("newer_than", Value::Span(span)) => Test::Newer(TimeDelta::from_std(*span).unwrap_or(TimeDelta::MAX)),
        ("has_image", Value::Flag(wanted)) => Test::HasImage(*wanted),
        ("has_content", Value::Flag(wanted)) => Test::HasContent(*wanted),
        ("any", _) => Test::Any(list(value)?),
        ("all", _) => Test::All(list(value)?),
        ("not", Value::Map(values)) => Test::Not(Condition::below(values, depth)?),
        _ => return Err(Mistake::new(format!("a condition has no key `{name}`"), "see the manual")),
    })
}

impl Test {
    /// What it costs: 0 next to nothing, 1 a search of a line, 2 of the text, 3 reading HTML.
    fn cost(&self) -> u8 {
        let most = |conditions: &[Condition]| {
            conditions.iter().flat_map(|condition| &condition.0).map(Self::cost).max().unwrap_or(0)
        };
        match self {
            Self::Css(_) => 3,
            Self::Pattern(Field::Content | Field::Text, _) | Self::HasImage(_) => 2,
            Self::Pattern(..) => 1,
            Self::Language(_) | Self::Older(_) | Self::Newer(_) | Self::HasContent(_) => 0,
            Self::Any(list) | Self::All(list) => most(list),
            Self::Not(condition) => most(std::slice::from_ref(condition)),
        }
    }

    fn holds(&self, draft: &Draft<'_>, around: &Around<'_>) -> bool {
        let entry = draft.entry();
        let age = || around.newest.signed_duration_since(draft.at());
        match self {
            Self::Pattern(field, regex) => field.matches(regex, draft),
            Self::Css(css) => entry.content.as_deref().is_some_and(|html| extract::selects(html, css)),
            Self::Language(range) => begins_with(entry.language.as_deref().unwrap_or(around.language), range),
            Self::Older(span) => age() > *span,
            Self::Newer(span) => age() <= *span,
            Self::HasImage(wanted) => {
                let in_text = || entry.content.as_deref().is_some_and(|html| html.contains("<img "));
                (!entry.images.is_empty() || in_text()) == *wanted
            }
            Self::HasContent(wanted) => entry.content.is_some() == *wanted,
            Self::Any(list) => list.iter().any(|condition| condition.holds(draft, around)),
            Self::All(list) => list.iter().all(|condition| condition.holds(draft, around)),
            Self::Not(condition) => !condition.holds(draft, around),
        }
    }
}

impl Field {
    fn matches(self, regex: &Regex, draft: &Draft<'_>) -> bool {
        let entry = draft.entry();
        let line = |text: &str| regex.is_match(&fold(text));
        let some = |text: &Option<String>| text.as_deref().is_some_and(line);
        match self {
            Self::Title => line(&entry.title),
            Self::Summary => some(&entry.summary),
            Self::Content => entry.content.is_some() && regex.is_match(draft.text()),
            Self::Text => [Self::Title, Self::Summary, Self::Content].iter().any(|field| field.matches(regex, draft)),
            Self::Author => entry.authors.iter().any(|author| line(&author.name)),
            Self::Category => entry.categories.iter().any(|one| line(&one.term) || some(&one.label)),
            Self::Source => entry.source.as_ref().is_some_and(|source| line(&source.title)),
            Self::Link => some(&entry.url),
            Self::Id => line(&entry.id.0),
        }
    }
}

/// Basic filtering of language tags (RFC 4647 section 3.3.1).
pub(super) fn begins_with(tag: &str, range: &str) -> bool {
    let (tag, range) = (tag.as_bytes(), range.as_bytes());
    tag.len() >= range.len()
        && tag[..range.len()].eq_ignore_ascii_case(range)
        && matches!(tag.get(range.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{around, record};
    use super::*;
    use crate::model::{Category, Person, Source};
    use std::borrow::Cow;
    use std::time::Duration;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn sample() -> crate::model::Record {
        let mut one = record(3);
        let entry = &mut one.entry;
        entry.title = "【推广】李子柒为何能走红海外".to_owned();
        entry.summary = Some("一句话".to_owned());
        entry.content =
            Some("<p>正文（广告）&amp; <b>ＡＢＣ</b></p><video src=\"http://a.example/v\"></video>".to_owned());
        entry.authors = vec![Person::named("张三"), Person::named("Li Si")];
        entry.categories = vec![Category { term: "时评".to_owned(), ..Category::default() }];
        entry.source = Some(Source { title: "金羊网".to_owned(), ..Source::default() });
        one
    }

    fn check(values: Vec<(&'static str, Value)>) -> bool {
        let record = sample();
        let draft = Draft::new(Cow::Borrowed(&record), false);
        Condition::new(&Values(values)).unwrap().holds(&draft, &around())
    }

    #[test]
    fn fields() {
        for (field, pattern, expected) in [
            ("title", "广告|推广", true),
            ("title", "^推广", false),
            ("summary", "话$", true),
            ("content", r"\(广告\)& abc", true),
            ("content", "video", false),
            ("text", "abc", true),
            ("text", "海外", true),
            ("author", "^li", true),
            ("author", "(?-i)^li", false),
            ("category", "^时评$", true),
            ("source", "金羊", true),
            ("link", "/3$", true),
            ("id", "^urn:x:3", true),
            ("css", "video[src*='a.example']", true),
            ("css", "p > i", false),
            ("css", "p:contains('正文')", true),
            ("language", "zh", true),
            ("language", "ZH-cn", true),
            ("language", "z", false),
            ("language", "zh-CN-x", false),
        ] {
            assert_eq!(check(vec![(field, text(pattern))]), expected, "{field}: {pattern}");
        }
    }

    #[test]
    fn ages_count_back_from_the_newest_entry() {
        // Entry 3 is three hours younger than entry 0; the newest of `around` is entry 10.
        for (name, hours, expected) in
            [("older_than", 6, true), ("older_than", 7, false), ("newer_than", 7, true), ("newer_than", 6, false)]
        {
            let span = Value::Span(Duration::from_hours(hours));
            assert_eq!(check(vec![(name, span)]), expected, "{name} {hours}h");
        }
    }

    #[test]
    fn parts_and_joins() {
        let map = |values: Vec<(&'static str, Value)>| Value::Map(Values(values));
        let (yes, no) = (("title", text("推广")), ("title", text("足球")));
        let list = |values: &[(&'static str, Value)]| {
            Value::List(values.iter().map(|value| Values(vec![value.clone()])).collect())
        };
        for (values, expected) in [
            (vec![("has_image", Value::Flag(true))], false),
            (vec![("has_image", Value::Flag(false))], true),
            (vec![("has_content", Value::Flag(true))], true),
            (vec![yes.clone(), ("author", text("张"))], true),
            (vec![yes.clone(), ("author", text("王"))], false),
            (vec![("any", list(&[no.clone(), yes.clone()]))], true),
            (vec![("any", list(&[no.clone(), no.clone()]))], false),
            (vec![("all", list(&[no.clone(), yes.clone()]))], false),
            (vec![("all", list(&[yes.clone(), yes.clone()]))], true),
            (vec![("not", map(vec![no]))], true),
            (vec![("not", map(vec![("not", map(vec![yes]))]))], true),
        ] {
            assert_eq!(check(values.clone()), expected, "{}", Values(values));
        }
    }

    #[test]
    fn empty_and_bottomless_conditions_are_mistakes() {
        assert!(Condition::new(&Values::default()).is_err());
        let mut values = Values(vec![("title", text("a"))]);
        for depth in 1..8 {
            assert_eq!(Condition::new(&values).is_ok(), depth <= MAX_DEPTH, "{depth}");
            values = Values(vec![("not", Value::Map(values))]);
        }
    }
}
