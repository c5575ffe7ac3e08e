//! Which characters a feed may hold at all.

use std::borrow::Cow;

/// Whether XML 1.0 allows the character (section 2.2, production `Char`): no C0 control except tab, line feed
/// and carriage return, and neither U+FFFE nor U+FFFF. C1 controls (U+0080 to U+009F) are legal.
#[must_use]
pub fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The text without the characters that XML forbids.
#[must_use]
pub fn legal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| is_legal(*c)).collect())
}
