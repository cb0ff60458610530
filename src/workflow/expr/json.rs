//! `toJSON` and `fromJSON` between [`Value`] and text.

use serde_json::Value as Json;

use super::Value;
use super::value::format_number;

/// Parses JSON into a value.
pub(super) fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).map(value)
}

// serde_json refuses more than 128 levels, so this cannot recurse far.
fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().map(value).collect()),
        Json::Object(entries) => Value::Object(entries.into_iter().map(|(key, item)| (key, value(item))).collect()),
    }
}

/// Writes a value as GitHub does: two spaces of indentation, one property a line.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    put(&mut text, value, 0);
    text
}

fn put(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::String(value) => text.push_str(&quoted(value)),
        Value::Number(number) => text.push_str(&format_number(*number)),
        Value::Bool(_) => text.push_str(&value.render()),
        Value::Array(items) => {
            let items = items.iter().map(|item| (None, item));
            put_all(text, ('[', ']'), items, depth);
        }
        Value::Object(properties) => {
            let properties = properties.iter().map(|(key, item)| (Some(key.as_str()), item));
            put_all(text, ('{', '}'), properties, depth);
        }
    }
}

fn put_all<'a>(
    text: &mut String,
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Value)>,
    depth: usize,
) {
    text.push(open);
    let empty = items.len() == 0;
    for (index, (key, item)) in items.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            text.push_str(&quoted(key));
            text.push_str(": ");
        }
        put(text, item, depth + 1);
    }
    if !empty {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    }
    text.push(close);
}

fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}
