//! A page of the portal → [`crate::model::ParsedFeed`], by layouts; never fails.
