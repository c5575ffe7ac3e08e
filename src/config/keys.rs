//! Every key of feeds.yaml, once: the decoder's key lists, the JSON Schema and docs/feeds-yaml.md are made from
//! these tables, so they cannot drift apart.

mod feed;

use crate::model::key;
pub(super) use crate::model::{ConfigKey as Key, ConfigKind as Kind, Section};
pub(super) use feed::{DUPLICATES, FEED};

pub(super) static TOP: Section = Section {
    name: "the file",
    doc: "The four sections. Keys that start with `x-` are ignored: a place for YAML anchors.",
    keys: &[
        key(
            "service",
            Kind::One(&SERVICE),
            "The service itself.",
            "{ title: News, base_url: 'http://127.0.0.1:8080/' }",
        )
        .required(),
        key(
            "layouts",
            Kind::Layouts,
            "How to read one kind of page each.",
            "{ list: { entry: li, title: a, link: a @href } }",
        ),
        key("channels", Kind::Many(&CHANNEL), "What is polled.", "{ news: { feed: 'https://example.org/rss.xml' } }")
            .required(),
        key("feeds", Kind::Many(&FEED), "What is published; at least one.", "{ news: { channels: [news] } }")
            .required(),
    ],
};

pub(super) static SERVICE: Section = Section {
    name: "service",
    doc: "The service itself.",
    keys: &[
        key("title", Kind::Text, "The title of the catalogue.", "中工网订阅").required(),
        key(
            "base_url",
            Kind::BaseUrl,
            "Every address that Heliu publishes starts with this; http or https.",
            "https://feeds.example.org/",
        )
        .required(),
        key("language", Kind::Language, "BCP 47 language of channels and feeds that name none.", "zh-CN")
            .default("zh-CN"),
        key("timezone", Kind::Zone, "The IANA zone of dates that name none.", "Asia/Shanghai").default("Asia/Shanghai"),
        key(
            "contact",
            Kind::Url,
            "A page about you, sent to the sources in the User-Agent.",
            "https://example.org/about",
        ),
        key(
            "allow_networks",
            Kind::Networks,
            "Private networks (CIDR) that sources may live in; hosts inside are exempt from the 15 minute floor.",
            "[10.0.0.0/8, 'fd00::/8']",
        ),
    ],
};

const TITLE: Key = key("title", Kind::Field, "The title.", "[h3 > a, 'a > img @alt']").required();
const LINK: Key = key("link", Kind::Field, "The link to the article.", "h3 > a @href").required();
const SUMMARY: Key = key("summary", Kind::Field, "A short summary.", "p");
const IMAGE: Key = key(
    "image",
    Kind::Field,
    "The picture; without an attribute the lazy-loading attributes are tried before `src`.",
    "img @data-src",
);
const DATE: Key = key("date", Kind::Field, "The date as shown.", "div.info2");
const AUTHOR: Key = key("author", Kind::Field, "The author.", ".author");
const EDITOR: Key = key("editor", Kind::Field, "The editor.", "{ select: .editor, strip_prefix: '责任编辑:' }");
const SOURCE: Key =
    key("source", Kind::Field, "Where it first appeared.", r"{ select: 'span:last-child', match: '^\D+$' }");
const CATEGORY: Key = key("category", Kind::Field, "The category.", ".channel");
const REMOVE: Key =
    key("remove", Kind::Selector, "What is removed from the page before anything is read.", "'script, .ad'");
const IDENTITY: Key = key(
    "identity",
    Kind::Pattern(&[]),
    "A regular expression on the article's address; its groups, joined by `/`, are the entry's identity.",
    r"'/(c/\d{4}-\d{2}-\d{2}/\d+)\.shtml'",
)
.default("the address's path");
const STAMP: Key = key(
    "stamp",
    Kind::Pattern(&["y", "m", "d", "H", "M", "S"]),
    "A regular expression on the article's address with the named groups `y m d H M S`: the moment of creation.",
    r"'/(?<y>\d{2})(?<m>\d{2})(?<d>\d{2})(?<H>\d{2})(?<M>\d{2})(?<S>\d{2})\d{3}\.shtml'",
);
const DAY: Key = key(
    "day",
    Kind::Pattern(&["y", "m", "d"]),
    "A regular expression on the article's address with the named groups `y m d`: the day.",
    r"'/c/(?<y>\d{4})-(?<m>\d{2})-(?<d>\d{2})/'",
);
const ONLY: Key =
    key("only", Kind::Pattern(&[]), "Only links that match this regular expression become entries.", r"'\.shtml$'");
const NEXT: Key = key(
    "next",
    Kind::Next,
    "The next page: an address with `{n}` (the page's number) and perhaps `{base}` (the page's address without its extension), a map of `address` and `from`, or a field that holds the link.",
    "'{base}_{n}.shtml'",
);
const NUMBERED: Key = key(
    "next",
    Kind::NumberedNext,
    "The next page: an address with `{n}` (the page's number), or a map of `address` and `from`.",
    "'https://example.org/index_{n}.json'",
);
const PAGES: Key =
    key("pages", Kind::Count(1, 20), "The most pages that are read in one poll.", "3").default("1, or 3 with `next`");

const fn json(key: Key, example: &'static str) -> Key {
    Key { kind: Kind::JsonField, example, ..key }
}
const fn optional(key: Key) -> Key {
    Key { required: false, ..key }
}

pub(super) static LIST: Section = Section {
    name: "a list layout",
    doc: "A page that lists entries. Fields are selected below the entry.",
    keys: &[
        key("entry", Kind::Selector, "CSS selector of an entry.", "'ul.list > li'").required(),
        TITLE,
        LINK,
        SUMMARY,
        IMAGE,
        DATE,
        AUTHOR,
        EDITOR,
        SOURCE,
        CATEGORY,
        REMOVE,
        IDENTITY,
        STAMP,
        DAY,
        ONLY,
        NEXT,
        PAGES,
    ],
};

pub(super) static JSON: Section = Section {
    name: "a JSON layout",
    doc: "A JSON document that lists entries. Fields are dotted paths below a member of the list.",
    keys: &[
        key("items", Kind::JsonPath, "Dotted path of the list; `''` is the document itself.", "data.list").required(),
        json(TITLE, "[title, name]"),
        json(LINK, "url"),
        json(SUMMARY, "intro"),
        json(IMAGE, "cover.src"),
        json(DATE, "[time, date]"),
        json(AUTHOR, "author"),
        json(EDITOR, "editor"),
        json(SOURCE, "source"),
        json(CATEGORY, "column"),
        IDENTITY,
        STAMP,
        DAY,
        ONLY,
        NUMBERED,
        PAGES,
    ],
};

pub(super) static ARTICLE: Section = Section {
    name: "an article layout",
    doc: "The page of one article. It fits when `body` (or, for a comic, `image`) yields something.",
    keys: &[
        key("body", Kind::Field, "The full text.", "div.article-content").required(),
        optional(TITLE),
        optional(LINK),
        SUMMARY,
        IMAGE,
        DATE,
        AUTHOR,
        EDITOR,
        SOURCE,
        CATEGORY,
        REMOVE,
        key(
            "byline",
            Kind::Selector,
            "The element whose lines are searched for a byline: a short line between title and date.",
            ".header",
        ),
        key("comic", Kind::Bool, "The picture is what the article is about.", "true").default("false"),
        NEXT,
        key(
            "total_pages",
            Kind::Field,
            "The number of pages that the article says it has.",
            "{ select: .pages, match: '\\d+' }",
        ),
        Key { default: "10", doc: "The most pages that are joined.", ..PAGES },
    ],
};

pub(super) static FIELD: Section = Section {
    name: "a field",
    doc: "The long form of a field. The short form is `selector`, `selector @attribute` or `@attribute`, or a list of those that are tried in order. The steps apply in the order `strip_prefix`, `replace`, `match`.",
    keys: &[
        key(
            "select",
            Kind::Selection,
            "CSS selector (in a JSON layout a dotted path); `''` is the entry itself.",
            "'.info > span'",
        )
        .required(),
        key("attribute", Kind::Attribute, "The attribute to take instead of the text.", "title"),
        key("strip_prefix", Kind::Text, "A prefix to remove, with the white space behind it.", "'来源:'"),
        key(
            "replace",
            Kind::Replace,
            "A map from regular expressions to what takes their place (`$1` names groups), or a list of `{ pattern, with }`.",
            r"{ '\s+': ' ' }",
        ),
        key(
            "match",
            Kind::Pattern(&[]),
            "Keep only what the first group (or the whole match) covers; without a match the next fallback is asked.",
            r"'^\D+$'",
        ),
    ],
};

pub(super) static REPLACE: Section = Section {
    name: "a replacement",
    doc: "One step of `replace`.",
    keys: &[
        key("pattern", Kind::Pattern(&[]), "The regular expression.", r"'\s+'").required(),
        key("with", Kind::Text, "What takes the place of every match; `$1` names groups.", "' '").required(),
    ],
};

pub(super) static NUMBERED_NEXT: Section = Section {
    name: "a numbered next page",
    doc: "The long form of `next`.",
    keys: &[
        key(
            "address",
            Kind::Template,
            "The address with `{n}`, and perhaps `{base}` at its start.",
            "'{base}_{n}.shtml'",
        )
        .required(),
        key("from", Kind::Count(0, 1_000_000), "The number of the second page.", "1").default("2"),
    ],
};

pub(super) static CHANNEL: Section = Section {
    name: "a channel",
    doc: "One thing that is polled: a portal page (`page` and `layouts`) or an external feed (`feed`).",
    keys: &[
        key("title", Kind::Text, "The title.", "中工时评").default("the channel's name"),
        key(
            "page",
            Kind::Pages,
            "The portal page's address, or several: the first that answers and fits a layout wins.",
            "https://example.org/news/",
        ),
        key("feed", Kind::Url, "The address of an RSS, Atom or JSON feed.", "https://example.org/rss.xml"),
        key(
            "layouts",
            Kind::Names("layouts"),
            "List and JSON layouts in order of preference; required with `page`.",
            "[list]",
        ),
        key(
            "article",
            Kind::Names("layouts"),
            "Article layouts in order of preference; links are followed if given.",
            "article",
        ),
        key(
            "every",
            Kind::Interval,
            "The interval between polls: a number and `s`, `m`, `h` or `d`, from 10s to 7d. Without it an eighth of the usual time between new entries, from 15m to 24h; the source may ask for longer.",
            "15m",
        )
        .default("learnt"),
        key("timezone", Kind::Zone, "The IANA zone of dates that name none.", "Asia/Shanghai").default("the service's"),
        key("language", Kind::Language, "BCP 47 language of its entries.", "zh-CN").default("the service's"),
        key(
            "snapshot",
            Kind::One(&SNAPSHOT),
            "Bundled pages that are served, marked as such, until the first live poll succeeds.",
            "{ file: snapshots/list.html, url: 'https://example.org/news/' }",
        ),
        key("rules", Kind::Rules, "What is done with its entries before duplicates are joined.", "[{ limit: 20 }]"),
        key(
            "withdrawn",
            Kind::Word(&["keep", "remove"]),
            "What becomes of entries that the source withdraws (RFC 6721). With `remove` Atom carries a tombstone.",
            "remove",
        )
        .default("keep"),
        key(
            "quarantine",
            Kind::Bool,
            "Whether a page full of old entries under new ids is held back. `false` publishes what is held.",
            "false",
        )
        .default("true"),
        key(
            "robots",
            Kind::Word(&["obey", "ignore"]),
            "Whether the site's robots.txt is obeyed when its pages and those of its articles are fetched (RFC 9309). A `feed` address is fetched in any case.",
            "ignore",
        )
        .default("obey"),
    ],
};

pub(super) static PAGE: Section = Section {
    name: "a page",
    doc: "The long form of a member of `page`.",
    keys: &[
        key("url", Kind::Url, "The address.", "https://example.org/news/").required(),
        Key {
            doc: "How its next pages are found; overrides the layout's `next`.",
            example: "'https://example.org/index_{n}.json'",
            ..NEXT
        },
    ],
};

pub(super) static SNAPSHOT: Section = Section {
    name: "a snapshot",
    doc: "Bundled pages.",
    keys: &[
        key("file", Kind::File, "The file, relative to feeds.yaml's folder.", "snapshots/list.html").required(),
        key("url", Kind::Url, "The address that the page was saved from.", "https://example.org/news/").required(),
        key(
            "articles",
            Kind::Files,
            "Bundled article pages: a map from addresses to files.",
            "{ 'https://example.org/news/1.html': snapshots/1.html }",
        ),
    ],
};
