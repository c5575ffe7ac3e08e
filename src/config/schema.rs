//! The JSON Schema of feeds.yaml (draft 2020-12), made from the table of keys: editors complete and check with it.

use super::keys::{ARTICLE, CHANNEL, FEED, FIELD, JSON, Key, Kind, LIST, NUMBERED_NEXT, PAGE, REPLACE, Section, TOP};
use serde_json::{Map, Value, json};

const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
const ADDRESS: &str = "^[Hh][Tt][Tt][Pp][Ss]?://";
const NUMBERED: &str = r"\{n\}";

/// The JSON Schema of feeds.yaml.
#[must_use]
pub fn schema() -> Value {
    let mut root = section(&TOP);
    let channel_rules = json!([
        { "required": ["page", "layouts"], "not": { "required": ["feed"] } },
        { "required": ["feed"], "not": { "anyOf": [
            { "required": ["page"] }, { "required": ["layouts"] }, { "required": ["article"] }
        ] } }
    ]);
    let mut channel = section(&CHANNEL);
    channel["oneOf"] = channel_rules;
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("feeds.yaml of Heliu");
    root["patternProperties"] = json!({ "^x-": true });
    root["$defs"] = json!({
        "list-layout": section(&LIST),
        "json-layout": section(&JSON),
        "article-layout": section(&ARTICLE),
        "field-map": section(&FIELD),
        "json-field-map": json_field_map(),
        "replacement": section(&REPLACE),
        "numbered-next": section(&NUMBERED_NEXT),
        "page": section(&PAGE),
        "channel": channel,
        "feed": section(&FEED),
    });
    root
}

/// A field of a JSON layout has no attribute.
fn json_field_map() -> Value {
    let mut map = section(&FIELD);
    if let Some(properties) = map["properties"].as_object_mut() {
        properties.remove("attribute");
    }
    map
}

fn section(section: &Section) -> Value {
    let properties: Map<String, Value> = section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut object = json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

fn property(key: &Key) -> Value {
    let mut value = kind(key.kind);
    let default = if key.default.is_empty() { String::new() } else { format!(" Default: {}.", key.default) };
    value["description"] = json!(format!("{}{default}", key.doc));
    value
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn one_or_list(member: &Value) -> Value {
    json!({ "anyOf": [member, { "type": "array", "items": member, "minItems": 1 }] })
}

fn named(member: &Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": NAME },
        "additionalProperties": member,
        "minProperties": 1,
    })
}

fn kind(kind: Kind) -> Value {
    let text = json!({ "type": "string" });
    let numbered = json!({ "type": "string", "pattern": NUMBERED });
    let address = json!({ "type": "string", "pattern": ADDRESS });
    let field = |map: &str| one_or_list(&json!({ "anyOf": [text, reference(map)] }));
    match kind {
        Kind::Text | Kind::JsonPath | Kind::File | Kind::Zone | Kind::Attribute | Kind::Selection => text,
        Kind::Selector | Kind::Pattern(_) => json!({ "type": "string", "minLength": 1 }),
        Kind::Language => json!({ "type": "string", "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" }),
        Kind::BaseUrl | Kind::Url => address,
        Kind::Networks => one_or_list(&text),
        Kind::Field => field("field-map"),
        Kind::JsonField => field("json-field-map"),
        Kind::Replace => {
            let step = reference("replacement");
            let map = json!({ "type": "object", "additionalProperties": text });
            json!({ "anyOf": [step, map, { "type": "array", "items": step, "minItems": 1 }] })
        }
        Kind::Next => json!({ "anyOf": [text, reference("numbered-next"), reference("field-map")] }),
        Kind::NumberedNext => json!({ "anyOf": [numbered, reference("numbered-next")] }),
        Kind::Template => numbered,
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Words(words) => one_or_list(&json!({ "enum": words })),
        Kind::Interval | Kind::Span => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        Kind::Names(_) => {
            let name = json!({ "type": "string", "pattern": NAME });
            json!({ "anyOf": [name, { "type": "array", "items": name, "minItems": 1, "uniqueItems": true }] })
        }
        Kind::Pages => one_or_list(&json!({ "anyOf": [address, reference("page")] })),
        Kind::Files => {
            json!({ "type": "object", "propertyNames": { "pattern": ADDRESS }, "additionalProperties": text })
        }
        Kind::One(one) => section(one),
        Kind::Many(many) if many.name == CHANNEL.name => named(&reference("channel")),
        Kind::Many(_) => named(&reference("feed")),
        Kind::Layouts => named(&json!({
            "oneOf": [reference("list-layout"), reference("json-layout"), reference("article-layout")]
        })),
    }
}
