//! docs/feeds-yaml.md, made from the table of keys.

use super::keys::{
    ARTICLE, CHANNEL, DUPLICATES, FEED, FIELD, JSON, Key, Kind, LIST, NUMBERED_NEXT, PAGE, REPLACE, SERVICE, SNAPSHOT,
    Section, TOP,
};
use std::fmt::Write as _;

const INTRODUCTION: &str = "# feeds.yaml

Heliu reads one file, `feeds.yaml`: what is polled, how pages are read, what is published. It reads it when it starts
and again whenever it changes. A file with a mistake is never used: what ran before goes on running.

`heliu check` prints every mistake at once, with its line and what to do about it. `heliu schema` prints the JSON
Schema; editors with a YAML language server complete and check with it when the file starts with
`# yaml-language-server: $schema=./feeds.schema.json`.

The file is YAML 1.2 in UTF-8, at most 512 KiB, nested at most 32 deep. Anchors (`&name`), aliases (`*name`, at most
10000 values in all) and merge keys (`<<: *name`) work; tags (`!name`) and duplicate keys are mistakes. `yes`, `no`,
`on` and `off` are text; only `true` and `false` are true and false. Names of layouts, channels and feeds are 1 to 64
characters of `a-z`, `0-9`, `-` and `_` and start with a letter or digit.

This page is made from the program (`HELIU_BLESS=1 cargo test --lib config::`); do not edit it.
";

const PARTS: [(&str, &Section); 13] = [
    ("The file", &TOP),
    ("`service`", &SERVICE),
    ("`layouts`: list", &LIST),
    ("`layouts`: JSON", &JSON),
    ("`layouts`: article", &ARTICLE),
    ("Fields", &FIELD),
    ("`replace`", &REPLACE),
    ("`next`", &NUMBERED_NEXT),
    ("`channels`", &CHANNEL),
    ("`page`", &PAGE),
    ("`snapshot`", &SNAPSHOT),
    ("`feeds`", &FEED),
    ("`duplicates`", &DUPLICATES),
];

/// The manual of feeds.yaml in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut out = INTRODUCTION.to_owned();
    for (title, section) in PARTS {
        let _ = write!(out, "\n## {title}\n\n{}\n\n", section.doc);
        out += "| key | value | without it | meaning | example |\n|---|---|---|---|---|\n";
        for key in section.keys {
            out += &row(key);
        }
    }
    out
}

fn row(key: &Key) -> String {
    let without = if key.required {
        "required"
    } else if key.default.is_empty() {
        "nothing"
    } else {
        key.default
    };
    // `|` would end the cell, also inside code.
    let example = key.example.replace('|', "\\|");
    format!("| `{}` | {} | {without} | {} | `{example}` |\n", key.name, value(key.kind), key.doc)
}

fn value(kind: Kind) -> String {
    let text = match kind {
        Kind::Text => "text",
        Kind::Language => "language",
        Kind::Zone => "time zone",
        Kind::BaseUrl | Kind::Url => "address",
        Kind::Networks => "networks",
        Kind::Selector => "CSS selector",
        Kind::JsonPath => "dotted path",
        Kind::Pattern(_) => "regular expression",
        Kind::Field | Kind::JsonField => "[field](#fields)",
        Kind::Selection => "selector",
        Kind::Attribute => "attribute",
        Kind::Replace => "[replacements](#replace)",
        Kind::Next | Kind::NumberedNext => "[next page](#next)",
        Kind::Template => "address with `{n}`",
        Kind::Bool => "`true` or `false`",
        Kind::Count(least, most) => return format!("{least} to {most}"),
        Kind::Interval => "interval",
        Kind::Span => "1m to 3650d",
        Kind::Word(words) => return format!("`{}`", words.join("` or `")),
        Kind::Words(words) => return format!("words of {}", words.join(", ")),
        Kind::Names(section) => return format!("names of {section}"),
        Kind::Pages => "[pages](#page)",
        Kind::File => "file",
        Kind::Files => "addresses and files",
        Kind::One(section) | Kind::Many(section) => return format!("map: {}", section.name),
        Kind::Layouts => "map: layouts",
    };
    text.to_owned()
}
