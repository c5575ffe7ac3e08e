//! What is known of a key of feeds.yaml; `keys` is the table.

/// What a key's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Language,
    Zone,
    BaseUrl,
    Url,
    Networks,
    Selector,
    JsonPath,
    /// A regular expression that must have these named groups.
    Pattern(&'static [&'static str]),
    Field,
    JsonField,
    /// The `select` of a field's long form.
    Selection,
    Attribute,
    Replace,
    Next,
    NumberedNext,
    Template,
    Bool,
    Count(u32, u32),
    Interval,
    /// A span of up to ten years.
    Span,
    /// One of these words or several.
    Words(&'static [&'static str]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One name or several out of a section.
    Names(&'static str),
    Pages,
    File,
    Files,
    One(&'static Section),
    /// A map from names to values of a section.
    Many(&'static Section),
    /// A map from names to layouts of the three kinds.
    Layouts,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// What holds without it, in words or as YAML; empty if nothing does.
    pub(super) default: &'static str,
    pub(super) doc: &'static str,
    /// A YAML value in one line.
    pub(super) example: &'static str,
}

/// One kind of map.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// The name in messages, such as `a channel`.
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) keys: &'static [Key],
}

impl Section {
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

pub(super) const fn key(name: &'static str, kind: Kind, doc: &'static str, example: &'static str) -> Key {
    Key { name, kind, required: false, default: "", doc, example }
}

impl Key {
    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}
