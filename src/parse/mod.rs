//! Text of an external feed → [`crate::model::ParsedFeed`]: by content, not by media type; never fails.
