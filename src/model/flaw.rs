//! Flaws: what was wrong in a source without stopping the read. They are stored and shown, not raised.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a flaw matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// An imperfection that readers do not notice.
    Note,
    /// Something is missing from what readers get.
    Warning,
    /// Nothing new is published from this source until it is mended.
    Alarm,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $severity:ident $advice:literal;)*) => {
        /// What kind of flaw, as a stable code for logs, JSON and `/admin`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum FlawCode { $($(#[$doc])* $variant,)* }

        impl FlawCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, such as `no-layout-fits`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
            /// How much it matters.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
            /// What an admin can do about it.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

codes! {
    // --- reaching the source ---
    /// The request failed (DNS, connection, TLS, timeout).
    Unreachable "unreachable" Alarm "Check that the address is right and the host is up; Heliu tries again with growing pauses.";
    /// The server answered with an error status.
    HttpStatus "http-status" Alarm "Open the address in a browser; if the page has moved, change the channel's address.";
    /// A redirect leads to a host that asked to be left alone (429, 503), and was not followed.
    LeftAlone "left-alone" Alarm "The address redirects to a host that asked to be left alone; it is asked again when that is over.";
    /// The server said that the source is gone for good (410).
    Gone "gone" Alarm "The source says that it is gone for good and is not asked any more; remove the channel, or change its address, which starts it again.";
    /// The source has moved for good, and its new address is asked.
    Moved "moved" Warning "The source has moved for good and is asked at its new address; put that into feeds.yaml.";
    /// The address guard refused to connect.
    AddressRefused "address-refused" Alarm "The address is private or loopback; list its network under service.allow_networks if it is meant.";
    /// robots.txt disallows the page, or cannot be had, which means the same (RFC 9309).
    RobotsDisallow "robots-disallow" Alarm "The site's robots.txt disallows this page; ask the site, choose another address, or set `robots: ignore` on the channel if you may fetch it all the same.";
    /// The body was larger than allowed; none of it was used.
    TooLarge "too-large" Alarm "The page is larger than a list page should be; check that the address is right.";
    /// The body ended early; none of it was used.
    Truncated "truncated" Alarm "The connection broke off; Heliu tries again.";
    /// The answer has no content at all.
    Empty "empty" Alarm "The server sent nothing; what is published stays as it is.";
    /// The body is not text.
    Binary "binary" Alarm "The address yields a file, not a page; check it.";
    /// The page asks for a login or a captcha.
    Login "login" Alarm "The page is behind a login or a captcha; choose a public address.";
    /// An address of the channel failed or did not fit; a later one served the channel.
    AddressSkipped "address-skipped" Note "An address of the channel does not serve it at present; a later one in the list does.";
    // --- reading the page ---
    /// None of the channel's layouts yields an entry.
    NoLayoutFits "no-layout-fits" Alarm "The page was probably redesigned: run `heliu preview CHANNEL` and add a layout.";
    /// Far fewer entries than usual.
    Shrunken "shrunken" Warning "The page lists far fewer entries than usual; nothing was removed from what is published.";
    /// A further page of the list could not be read.
    PageUnread "page-unread" Warning "A further page of the list could not be read; what stands only there is missing. It is asked for with the next polls too, five times at most.";
    /// No entry of the page was known although the page was read before.
    AllNew "all-new" Warning "Every entry looks new: check that the address still shows the same column and that the layout's identity pattern fits.";
    /// Fields that the entries usually carry are missing.
    Drifted "drifted" Warning "The page was probably changed: fields that its entries usually carry are missing. Run `heliu preview CHANNEL` and mend the layout; a shape that stands for a week is taken to be meant.";
    /// Nearly all entries of the page are new at once.
    OldGone "old-gone" Warning "Nearly all entries were replaced at once: check that the address still shows the same column. What was published stays.";
    /// Nothing new came for far longer than usual.
    Silent "silent" Warning "Nothing new for far longer than usual: open the address in a browser; if the column has moved, change the channel's address, if it is over, remove the channel.";
    /// Known entries stood under other ids; they keep the ids they were published with.
    IdsChanged "ids-changed" Warning "The source changed the ids of its entries; readers keep the old ones and nothing shows twice. Nothing to do.";
    /// Entries that look new but old are not published.
    Quarantined "quarantined" Alarm "A page full of entries that look old came under new ids. Look at the source; if they are really new, set `quarantine: false` on the channel, which publishes them.";
    /// More entries than believable were withdrawn at once; none was.
    MassWithdrawal "mass-withdrawal" Warning "The source withdrew most of its entries at once, which looks like an accident; nothing was withdrawn. If it is meant, set `quarantine: false` on the channel.";
    /// The bytes were in another charset than declared.
    CharsetMismatch "charset-mismatch" Note "The page's declared charset is wrong; Heliu used the one that fits the bytes.";
    /// Some bytes could not be decoded.
    CharsetErrors "charset-errors" Warning "Some bytes are invalid in the page's charset and were replaced by U+FFFD.";
    /// Characters that XML forbids were removed.
    IllegalCharacters "illegal-characters" Note "Characters that XML forbids were removed.";
    /// A feed was not well-formed; what could be read was read.
    Malformed "malformed" Note "The document is not well-formed; what could be read was read.";
    /// Something went past a hard limit and was cut.
    LimitReached "limit-reached" Warning "The document goes past a safety limit; the rest was left out.";
    /// An HTML page stood where a feed was expected.
    NotAFeed "not-a-feed" Alarm "The address is an HTML page; use one of the feed addresses it announces.";
    // --- entries ---
    /// An entry without a usable link was left out.
    EntryWithoutLink "entry-without-link" Note "An entry without a link, or that says nothing at all, was left out.";
    /// An entry without a title got one from its text, alt text or day.
    EntryWithoutTitle "entry-without-title" Note "An entry has no title; one was made from its text or day.";
    /// The same id or link occurs twice in one document.
    DuplicateId "duplicate-id" Note "Two entries of one page carry the same id; the id was not used to tell them apart.";
    /// No date could be read from the entry.
    DateMissing "date-missing" Note "No date was found; the instant at which the entry was first seen is used.";
    /// A date was written but could not be read.
    DateUnreadable "date-unreadable" Note "A date could not be read; the next rung of the date ladder was used.";
    /// A date lies in the future and was clamped to first seen.
    DateInFuture "date-in-future" Note "A date lies in the future; the instant at which the entry was first seen is used.";
    /// An article's page could not be read.
    ArticleUnread "article-unread" Warning "The article's page could not be read; the entry was published from the list and is tried again.";
    /// An address was dropped because it is not http or https.
    LinkRefused "link-refused" Note "An address that is not http or https was left out.";
    // --- ourselves ---
    /// The channel's task panicked.
    Panicked "panicked" Alarm "A defect in Heliu: please report it with this text; other channels are not affected.";
    /// Reading the document took too long; none of it was used.
    Overrun "overrun" Alarm "Reading the document took longer than any honest one does, and nothing of it was used. After three times in a row the source is left alone for a day. Look at the address; if the document is harmless, please report it.";
    /// No thread was free to read the document.
    Crowded "crowded" Alarm "Documents that take too long to read keep all threads busy; find their channels by the flaw `overrun`, and restart Heliu.";
    /// The snapshot file could not be read.
    SnapshotUnread "snapshot-unread" Warning "The channel's snapshot could not be read; check the path in feeds.yaml.";
}

impl fmt::Display for FlawCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One flaw: its code and what exactly was wrong, where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    /// What kind.
    pub code: FlawCode,
    /// What exactly and where, in a sentence without line breaks, at most some 300 characters.
    pub detail: String,
}

impl Flaw {
    /// A flaw with its evidence. Line breaks and control characters in `detail` become spaces and
    /// it is cut at 300 characters, since it often quotes a hostile source.
    #[must_use]
    pub fn new(code: FlawCode, detail: impl AsRef<str>) -> Self {
        let detail = detail.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        Self { code, detail }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_unique_kebab_name_and_advice() {
        let mut seen = std::collections::HashSet::new();
        for &code in FlawCode::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert_eq!(serde_json::to_string(&code).ok(), Some(format!("\"{code}\"")));
            assert!(code.advice().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn details_are_one_line_and_bounded() {
        let flaw = Flaw::new(FlawCode::Malformed, format!("a\r\nb\u{1b}[31m{}", "x".repeat(1000)));
        assert!(!flaw.detail.chars().any(char::is_control));
        assert_eq!(flaw.detail.chars().count(), 300);
    }
}
