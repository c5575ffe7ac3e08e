//! The tolerant XML reader: events → a small element tree, and the one table of prefixes and namespace URIs.
