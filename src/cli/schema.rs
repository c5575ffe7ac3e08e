//! `heliu schema`: prints the JSON Schema of feeds.yaml.

/// The JSON Schema as indented JSON with a line end: the content of feeds.schema.json.
#[must_use]
pub fn schema() -> String {
    format!("{:#}\n", crate::config::schema())
}
