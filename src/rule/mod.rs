//! Rules that a feed applies to its entries: one file per rule, one registry.
