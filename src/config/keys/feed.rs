//! What a feed may say.

use super::{Kind, Section, key};

pub(in super::super) static DUPLICATES: Section = Section {
    name: "`duplicates`",
    doc: "How a feed tells that entries of different channels are one article. The entry that was seen first is shown, the others are named as \"also at\". Equal ids are always joined; entries of one channel never otherwise.",
    keys: &[
        key(
            "by",
            Kind::Words(&["id", "link", "title", "text"]),
            "What is compared: ids, links that lead to one page, equal titles, nearly equal texts.",
            "[id, link]",
        )
        .default("all four"),
        key(
            "window",
            Kind::Span,
            "How far apart two publications of one article may be, for `title` and `text`.",
            "3d",
        )
        .default("7d"),
        key(
            "distance",
            Kind::Count(0, 12),
            "In how many of 64 bits the simhashes of two texts may differ; more finds more, and costs more.",
            "8",
        )
        .default("6"),
        key("show_also_at", Kind::Bool, "Whether readers are shown where else an entry appeared.", "false")
            .default("true"),
        key(
            "also_at_in_content",
            Kind::Bool,
            "Whether a line under the content says where else an entry appeared: RSS has no other place for it, and few readers show that of Atom and JSON Feed.",
            "true",
        )
        .default("false"),
    ],
};

pub(in super::super) static FEED: Section = Section {
    name: "a feed",
    doc: "One document that is published under `/feeds/NAME`.",
    keys: &[
        key("title", Kind::Text, "The title.", "中工评论合集").default("that of its only channel, or the feed's name"),
        key("description", Kind::Text, "One sentence about it.", "时评与人物合为一份"),
        key("language", Kind::Language, "BCP 47 language.", "zh-CN").default("the service's"),
        key(
            "channels",
            Kind::Names("channels"),
            "The channels it is made of, in order of preference when one article is in several. A feed needs `channels`, `feeds` or both.",
            "[news]",
        ),
        key(
            "feeds",
            Kind::Names("feeds"),
            "Other feeds it is made of, behind its channels: what they show, after their rules and limits. No feed may be made of itself.",
            "[portal]",
        ),
        key("limit", Kind::Count(1, 500), "The most entries it holds.", "80").default("50"),
        key("duplicates", Kind::One(&DUPLICATES), "How duplicates are told.", "{ by: [id, link], window: 1d }"),
        key(
            "quota",
            Kind::Count(1, 500),
            "The most entries of one channel; with it every channel that has entries keeps at least one.",
            "20",
        ),
        key("max_age", Kind::Span, "Entries older than this, counted back from the newest, are left out.", "30d"),
        key("rules", Kind::Rules, "What is done with its entries after duplicates are joined.", "[{ prefix: source }]"),
    ],
};
