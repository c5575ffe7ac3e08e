//! What is known of a key of feeds.yaml. The tables are in `config` and, for the rules, in `rule`.

/// What a key's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in one line.
    Text,
    /// A BCP 47 language tag.
    Language,
    /// A zone of the IANA database.
    Zone,
    /// An address that others start with.
    BaseUrl,
    /// An http or https address.
    Url,
    /// Networks in CIDR notation.
    Networks,
    /// A CSS selector of a page.
    Selector,
    /// A CSS selector of an entry's text, which is sanitised: it has no classes, ids or styles.
    TextSelector,
    /// A dotted path.
    JsonPath,
    /// A regular expression that must have these named groups.
    Pattern(&'static [&'static str]),
    /// What takes the place of a match; may be empty.
    Replacement,
    /// A field of a page.
    Field,
    /// A field of a JSON document.
    JsonField,
    /// The `select` of a field's long form.
    Selection,
    /// The name of an attribute.
    Attribute,
    /// Replacements of a field.
    Replace,
    /// The next page.
    Next,
    /// A numbered next page.
    NumberedNext,
    /// An address with `{n}`.
    Template,
    /// True or false.
    Bool,
    /// A whole number, from and to.
    Count(u32, u32),
    /// An interval between polls.
    Interval,
    /// A span of up to ten years.
    Span,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words or several.
    Words(&'static [&'static str]),
    /// One name or several out of a section.
    Names(&'static str),
    /// Addresses of pages.
    Pages,
    /// A file in the folder of feeds.yaml.
    File,
    /// A map from addresses to files.
    Files,
    /// A map with the keys of a section.
    One(&'static Section),
    /// The same, or `true` for one without keys.
    Switch(&'static Section),
    /// A map from names to values of a section.
    Many(&'static Section),
    /// A map from names to layouts of the three kinds.
    Layouts,
    /// A list of rules.
    Rules,
    /// A condition on an entry.
    Condition,
    /// A list of conditions.
    Conditions,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Whether the section is wrong without it.
    pub required: bool,
    /// What holds without it, in words or as YAML; empty if nothing does.
    pub default: &'static str,
    /// What it means, in a sentence.
    pub doc: &'static str,
    /// A YAML value in one line.
    pub example: &'static str,
}

/// One kind of map.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// The name in messages, such as `a channel`.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Its keys in the order of the manual.
    pub keys: &'static [Key],
}

impl Section {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
    /// The names of its keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

/// A key that may be left out.
pub const fn key(name: &'static str, kind: Kind, doc: &'static str, example: &'static str) -> Key {
    Key { name, kind, required: false, default: "", doc, example }
}

impl Key {
    /// The same key, required.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
    /// The same key with what holds without it.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}
