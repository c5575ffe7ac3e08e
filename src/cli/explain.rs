//! `heliu preview --explain` for people: every entry, before and after each rule.

use crate::model::{Entry, Record};
use crate::rule::Step;
use crate::worker::{Explained, Fate};
use std::fmt::Write as _;

/// How much of a field is shown, in characters.
const SHOWN: usize = 60;

/// What became of every entry, one block each.
pub(super) fn blocks(explained: &[Explained]) -> String {
    let mut out = String::new();
    for one in explained {
        block(one, &mut out);
    }
    out
}

fn block(one: &Explained, out: &mut String) {
    let Record { channel, entry, .. } = &one.record;
    let date = entry.published.at.format("%Y-%m-%d %H:%M");
    let _ = writeln!(out, "{date}  {}  ({channel})", short(&entry.title));
    let _ = writeln!(out, "    before: {}", summary(entry));
    steps("channel", &one.channel, out);
    steps("feed", &one.feed, out);
    let last = one.feed.last().map(|step| ("feed", step)).or(one.channel.last().map(|step| ("channel", step)));
    let fate = match (&one.fate, last) {
        (Fate::Shown, _) => "shown".to_owned(),
        (Fate::Dropped, Some((of, step))) => format!("dropped by rule {} of the {of}: {}", step.number, step.rule),
        (Fate::Dropped, None) => "dropped".to_owned(),
        (Fate::Joined { title, rung, .. }, _) => format!("joined by {} into “{}”", rung.name(), short(title)),
        (Fate::ChannelLimit, _) => "left out by a limit of the channel".to_owned(),
        (Fate::NoRoom, _) => "left out by limit, quota or age of the feed".to_owned(),
    };
    let _ = writeln!(out, "    {fate}\n");
}

fn steps(of: &str, steps: &[Step], out: &mut String) {
    for step in steps.iter().filter(|step| step.after.is_some()) {
        let (changes, notes) = (step.changes(), &step.notes);
        let same = if changes.is_empty() && notes.is_empty() { " – no change" } else { "" };
        let _ = writeln!(out, "    {of} {}  {}{same}", step.number, clean(&step.rule));
        for change in changes {
            let (old, new) = around_the_change(&change.old, &change.new);
            let _ = writeln!(out, "        {}: {old} → {new}", change.field);
        }
        for note in notes {
            let _ = writeln!(out, "        {}", clean(note));
        }
    }
}

/// What an entry is before any rule, in one line.
fn summary(entry: &Entry) -> String {
    let mut parts = Vec::new();
    parts.extend(entry.source.as_ref().map(|source| format!("source {}", short(&source.title))));
    if !entry.authors.is_empty() {
        let names: Vec<_> = entry.authors.iter().map(|author| author.name.as_str()).collect();
        parts.push(format!("author {}", short(&names.join(", "))));
    }
    if !entry.categories.is_empty() {
        let terms: Vec<_> = entry.categories.iter().map(|category| category.term.as_str()).collect();
        parts.push(format!("category {}", short(&terms.join(", "))));
    }
    parts.extend(entry.summary.as_ref().map(|text| format!("summary {}", short(text))));
    parts.extend(entry.content.as_ref().map(|text| format!("content of {} characters", text.chars().count())));
    parts.push(format!("{} images", entry.images.len()));
    parts.push(clean(entry.url.as_deref().unwrap_or("no link")));
    parts.join("; ")
}

/// Both texts, shortened to where they differ.
fn around_the_change(old: &str, new: &str) -> (String, String) {
    let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    // Long texts that differ late are shown from a little before that.
    let skip = if old.chars().count().max(new.chars().count()) <= SHOWN { 0 } else { same.saturating_sub(10) };
    let part = |text: &str| {
        let rest: String = text.chars().skip(skip).collect();
        match (rest.is_empty(), skip) {
            (true, 0) => "nothing".to_owned(),
            (_, 0) => short(&rest),
            _ => format!("…{}", short(&rest)),
        }
    };
    (part(old), part(new))
}

fn short(text: &str) -> String {
    let text = clean(text);
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN - 1).chain(std::iter::once('…')).collect()
}

/// Without what a terminal would obey.
fn clean(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_where_they_are() {
        let long = "字".repeat(100);
        for (old, new, expected) in [
            ("旧", "新", ("旧".to_owned(), "新".to_owned())),
            ("", "新", ("nothing".to_owned(), "新".to_owned())),
            (
                &*format!("{long}甲"),
                &*format!("{long}乙"),
                (format!("…{}甲", "字".repeat(10)), format!("…{}乙", "字".repeat(10))),
            ),
            (&*format!("{long}甲"), &*long, (format!("…{}甲", "字".repeat(10)), format!("…{}", "字".repeat(10)))),
            ("a\u{1b}[31m", "b\nc", ("a [31m".to_owned(), "b c".to_owned())),
        ] {
            assert_eq!(around_the_change(old, new), expected);
        }
    }
}
