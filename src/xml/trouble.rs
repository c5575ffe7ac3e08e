//! What was wrong with a document: each kind counted, with the place where it was met first.

use crate::model::{Flaw, FlawCode};
use std::cell::Cell;

/// Hard limits of the reader (checklist row X-06). What lies beyond is left out, with a flaw.
pub mod limits {
    /// Elements inside each other.
    pub const DEPTH: usize = 256;
    /// Attributes of one tag.
    pub const ATTRIBUTES: usize = 256;
    /// Namespace declarations of one tag.
    pub const DECLARATIONS: usize = 64;
    /// Namespace declarations in force at one place.
    pub const BINDINGS: usize = 96;
    /// Bytes of an element's or attribute's name.
    pub const NAME: usize = 1024;
    /// Bytes of an `xml:base`, alone and joined with those around it.
    pub const BASE: usize = 2048;
    /// Bytes of an `xml:lang`.
    pub const LANGUAGE: usize = 100;
    /// Bytes of one piece of text.
    pub const TEXT: usize = 5 * 1024 * 1024;
    /// Elements and pieces of text in one document: bounds memory to some 40 bytes each.
    pub const NODES: usize = 600_000;
    /// Attributes in one document.
    pub const ALL_ATTRIBUTES: usize = 400_000;
    /// Entries of one feed.
    pub const ENTRIES: usize = 5_000;
}

macro_rules! troubles {
    ($($(#[$doc:meta])* $variant:ident $code:ident $text:literal;)*) => {
        /// One kind of trouble.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Trouble { $($(#[$doc])* $variant,)* }

        impl Trouble {
            const ALL: &'static [(Self, FlawCode, &'static str)] = &[$((Self::$variant, FlawCode::$code, $text),)*];
        }
    };
}

troubles! {
    /// Text before the document begins, such as a PHP warning.
    Junk Malformed "something stands before the document";
    /// An `&` that begins no reference.
    Ampersand Malformed "a bare & that should be &amp;";
    /// `&name;` that neither XML nor HTML knows.
    UnknownEntity Malformed "an unknown entity";
    /// A `<` that begins no tag.
    StrayLess Malformed "a stray < that should be &lt;";
    /// A tag without its `>`.
    UnclosedTag Malformed "a tag without its end";
    /// An attribute without quotes, without a value, or with an unclosed quote.
    Attribute Malformed "an attribute that is not written name=\"value\"";
    /// A CDATA section without its end.
    UnclosedCData Malformed "a CDATA section without its end";
    /// A comment, processing instruction or document type without its end.
    UnclosedComment Malformed "a comment, instruction or document type without its end";
    /// An end tag that fits no open element.
    StrayEnd Malformed "an end tag that closes nothing";
    /// An element that is still open where it cannot be.
    UnclosedElement Malformed "an element without its end tag";
    /// More than one document in a row.
    SecondRoot Malformed "more than one root element";
    /// A prefix that nobody declared.
    UndeclaredPrefix Malformed "an undeclared namespace prefix";
    /// A character that XML forbids.
    IllegalCharacter IllegalCharacters "a character that XML forbids";
    /// Past [`limits::DEPTH`].
    Depth LimitReached "elements deeper than 256";
    /// Past [`limits::ATTRIBUTES`] or [`limits::ALL_ATTRIBUTES`].
    Attributes LimitReached "too many attributes";
    /// Past [`limits::DECLARATIONS`] or [`limits::BINDINGS`].
    Declarations LimitReached "too many namespace declarations";
    /// Past [`limits::NAME`].
    Name LimitReached "a name longer than 1 KB";
    /// Past [`limits::TEXT`].
    Text LimitReached "a text longer than 5 MiB";
    /// Past [`limits::NODES`].
    Nodes LimitReached "more than 600,000 elements and texts";
    /// Past [`limits::ENTRIES`].
    Entries LimitReached "more than 5,000 entries";
}

/// All troubles of one document. Shared while reading, hence the cells.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// How often, and the byte offset of the first, by kind.
    seen: [Cell<(u32, usize)>; Trouble::ALL.len()],
}

impl Troubles {
    /// Counts one, met at this byte of the document.
    pub(crate) fn note(&self, trouble: Trouble, offset: usize) {
        let cell = &self.seen[trouble as usize];
        let (count, first) = cell.get();
        cell.set((count.saturating_add(1), if count == 0 { offset } else { first }));
    }

    /// One flaw for each kind that was met, with the line of the first.
    pub(crate) fn flaws(&self, text: &str) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for &(trouble, code, what) in Trouble::ALL {
            let (count, offset) = self.seen[trouble as usize].get();
            if count > 0 {
                let before = &text.as_bytes()[..offset.min(text.len())];
                let line = 1 + memchr::memchr_iter(b'\n', before).count();
                let times = if count == 1 { String::new() } else { format!(" ({count} times)") };
                flaws.push(Flaw::new(code, format!("line {line}: {what}{times}")));
            }
        }
        flaws
    }
}
