//! Tests of the whole room: text in, configuration and diagnostics out.
