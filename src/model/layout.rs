//! How to read one kind of page: data only. `config` fills these in, `extract` carries them out.

use serde::Serialize;

/// One cleaning step, applied in order to the text that a field selected.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clean {
    /// Remove this prefix if it stands there, then white space.
    StripPrefix(String),
    /// Replace every match of a regular expression (linear time); `$1` names groups.
    Replace {
        /// The pattern.
        pattern: String,
        /// What takes its place.
        with: String,
    },
    /// Keep only what the pattern's first group (or the whole match) covers; no match empties the field,
    /// so that the next fallback is asked.
    Match(String),
}

/// One way of reading a field. Fields hold several; the first that yields something counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Field {
    /// A CSS selector below the entry (`""` is the entry itself), or a dotted path in JSON lists.
    pub select: String,
    /// The attribute to take instead of the text.
    pub attribute: Option<String>,
    /// What is done to the text afterwards.
    pub clean: Vec<Clean>,
}

/// The fields of an entry, each with its fallbacks in order. An empty list: the page has no such thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Fields {
    /// Title (required for a list, optional for an article, which may refine it).
    pub title: Vec<Field>,
    /// Link to the article (required for a list).
    pub link: Vec<Field>,
    /// Summary.
    pub summary: Vec<Field>,
    /// Full text as HTML.
    pub body: Vec<Field>,
    /// Picture; without an attribute the lazy-loading attributes are tried before `src`.
    pub image: Vec<Field>,
    /// Date as shown.
    pub date: Vec<Field>,
    /// Author.
    pub author: Vec<Field>,
    /// Editor.
    pub editor: Vec<Field>,
    /// Where it first appeared.
    pub source: Vec<Field>,
    /// Category.
    pub category: Vec<Field>,
}

/// What a layout reads from an entry's URL: regular expressions on the resolved address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct UrlRules {
    /// Groups joined by `/` are the entry's identity, such as `424/191210112419833`. Without it, the path.
    pub identity: Option<String>,
    /// Named groups `y m d H M S`: the moment of creation. `y` may have two digits.
    pub stamp: Option<String>,
    /// Named groups `y m d`: the day.
    pub day: Option<String>,
    /// Only links that match become entries.
    pub only: Option<String>,
}

/// How the next page of a list is found. Followed only while a page holds nothing but unknown entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextPage {
    /// A field that holds the link.
    Link(Field),
    /// An address with `{n}` for the page's number, and `{base}` for the current page's address without its extension.
    Numbered {
        /// The template, such as `{base}_{n}.shtml`.
        address: String,
        /// The number of the second page.
        from: u32,
    },
}

/// A page that lists entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ListLayout {
    /// CSS selector of an entry.
    pub entry: String,
    /// CSS selector of what is removed from the page before anything is read.
    pub remove: Option<String>,
    /// The fields of an entry.
    pub fields: Fields,
    /// What the URL tells.
    pub url: UrlRules,
    /// The next page.
    pub next: Option<NextPage>,
    /// The most pages that are read in one poll, 1 to 20.
    pub pages: u32,
}

/// A JSON document that lists entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct JsonLayout {
    /// Dotted path of the array, `""` for the document itself.
    pub items: String,
    /// The fields of an entry, dotted paths below an array member.
    pub fields: Fields,
    /// What the URL tells.
    pub url: UrlRules,
    /// The next page (`Numbered` only).
    pub next: Option<NextPage>,
    /// The most pages that are read in one poll, 1 to 20.
    pub pages: u32,
}

/// The page of one article. It fits when `body` (or, for a comic, `image`) yields something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ArticleLayout {
    /// CSS selector of what is removed from the page before anything is read.
    pub remove: Option<String>,
    /// The fields; `body` is required.
    pub fields: Fields,
    /// The byline: a short line between title and date without markup of its own. CSS selector of the
    /// element whose lines are searched.
    pub byline: Option<String>,
    /// A comic: the picture becomes enclosure, media and content.
    pub comic: bool,
    /// Further pages of the same article.
    pub next: Option<NextPage>,
    /// The number of pages that the article says it has, when it does.
    pub total_pages: Vec<Field>,
    /// The most pages that are joined, 1 to 20.
    pub pages: u32,
}

/// Which of the three a layout is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutKind {
    /// Has `entry`.
    List(ListLayout),
    /// Has `items`.
    Json(JsonLayout),
    /// Has `body`.
    Article(ArticleLayout),
}

/// A named way of reading one kind of page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Layout {
    /// The name in feeds.yaml.
    pub name: String,
    /// What it reads.
    pub kind: LayoutKind,
}
