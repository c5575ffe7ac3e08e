//! `sort`: another order than newest first.
//!
//! ```yaml
//! rules:
//!   - sort: { by: title, order: ascending }
//! ```

use super::draft::published;
use super::{Act, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, Record, Section, key};
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "sort",
    ConfigKind::One(&SECTION),
    "Another order than newest first. Entries that are equal by it stay newest first. On a channel it only decides \
     what a `limit` behind it keeps, since the feed orders its entries itself.",
    "{ by: title }",
);

pub(super) static SECTION: Section = Section {
    name: "`sort`",
    doc: "An order of entries.",
    keys: &[
        key(
            "by",
            ConfigKind::Word(&["title", "published", "updated", "source"]),
            "What is compared. Titles and sources compare by their characters; an entry without a source comes last, \
             one that was never updated counts by its publication.",
            "title",
        )
        .required(),
        key("order", ConfigKind::Word(&["ascending", "descending"]), "Which comes first.", "descending")
            .default("`ascending` for titles and sources, `descending` for dates"),
    ],
};

#[derive(Debug, Clone, Copy)]
enum By {
    Title,
    Published,
    Updated,
    Source,
}

#[derive(Debug)]
struct Sort {
    by: By,
    descending: bool,
}

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    let values = value.map();
    let (by, usually_descending) = match values.text("by") {
        Some("title") => (By::Title, false),
        Some("published") => (By::Published, true),
        Some("updated") => (By::Updated, true),
        Some("source") => (By::Source, false),
        _ => return Err(Mistake::new("`sort` needs `by`", "such as `by: title`")),
    };
    let descending = values.text("order").map_or(usually_descending, |order| order == "descending");
    Ok(Arc::new(Sort { by, descending }))
}

impl Sort {
    fn compare(&self, one: &Record, other: &Record) -> Ordering {
        let source =
            |record: &Record| record.entry.source.as_ref().map(|s| s.title.clone()).filter(|title| !title.is_empty());
        let updated = |record: &Record| record.entry.updated.map_or_else(|| published(record), |at| at.to_utc());
        let order = match self.by {
            By::Title => one.entry.title.cmp(&other.entry.title),
            By::Published => published(one).cmp(&published(other)),
            By::Updated => updated(one).cmp(&updated(other)),
            By::Source => match (source(one), source(other)) {
                (Some(one), Some(other)) => one.cmp(&other),
                // Without a source last, whatever the order.
                (one, other) => return other.is_some().cmp(&one.is_some()),
            },
        };
        if self.descending { order.reverse() } else { order }
    }
}

impl Act for Sort {
    fn list(&self, mut records: Vec<Record>) -> Vec<Record> {
        records.sort_by(|one, other| self.compare(one, other));
        records
    }
    fn is_of_list(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, rules};
    use crate::model::Source;

    #[test]
    fn orders() {
        let mut records: Vec<_> = [4, 3, 2, 1].map(record).into();
        for (record, (title, source)) in records.iter_mut().zip([("乙", "b"), ("甲", ""), ("丁", "a"), ("丙", "b")])
        {
            record.entry.title = title.to_owned();
            record.entry.source =
                (!source.is_empty()).then(|| Source { title: source.to_owned(), ..Source::default() });
        }
        records[3].entry.updated = Some(super::published(&super::super::tests::record(9)).fixed_offset());
        for (by, order, expected) in [
            ("title", "", [2, 1, 4, 3]),
            ("title", "descending", [3, 4, 1, 2]),
            ("published", "", [4, 3, 2, 1]),
            ("published", "ascending", [1, 2, 3, 4]),
            ("updated", "", [1, 4, 3, 2]),
            ("source", "", [2, 4, 1, 3]),
            ("source", "descending", [4, 1, 2, 3]),
        ] {
            let order = if order.is_empty() { String::new() } else { format!(", order: {order}") };
            let found = rules(&format!("[{{ sort: {{ by: {by}{order} }} }}]")).list(records.clone());
            assert_eq!(found.iter().map(|record| record.number).collect::<Vec<_>>(), expected, "{by}{order}");
        }
    }
}
