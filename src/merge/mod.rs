//! Channels → one feed: duplicates, order, limits.
