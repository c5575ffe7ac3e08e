//! The names that channels and feeds carry in feeds.yaml, in URLs and in the ledger.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a string is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 64 characters of a-z, 0-9, '-' and '_' and starts with a letter or digit, not {0:?}")]
pub struct NameError(pub String);

fn checked(text: &str) -> Result<Arc<str>, NameError> {
    let ok = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        && text.as_bytes()[0].is_ascii_alphanumeric();
    if ok { Ok(text.into()) } else { Err(NameError(text.to_owned())) }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The name as text, which is not copied.
            #[must_use]
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }
        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                checked(text).map(Self)
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A channel's name in feeds.yaml: one thing that is polled.
    ChannelId
}
name! {
    /// A feed's name in feeds.yaml and in its URLs: one document that is published.
    FeedId
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, good: bool) {
        assert_eq!(text.parse::<FeedId>().is_ok(), good, "{text:?}");
    }

    #[test]
    fn names_are_safe_in_urls_and_file_names() {
        for good in ["a", "shiping", "pinglun-2", "2019_b", &"x".repeat(64)] {
            check(good, true);
        }
        for bad in ["", "-a", "_a", "Shiping", "时评", "a/b", "a.b", "a b", "..", &"x".repeat(65)] {
            check(bad, false);
        }
    }
}
