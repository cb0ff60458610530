//! JSON as the action's JavaScript sees it: the order of keys, what a value becomes as text, and what a syntax error says.
//! [`Json`] is principal.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The outermost value; an object keeps the keys that a later one of the same name replaces.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    /// An object, in the order written.
    Object(Vec<(String, Value)>),
    /// Anything else.
    Other(Value),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Json::Object(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Json::Other(Value::Array(values)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Other(value.into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Other(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Other(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other(Value::Null))
    }
}

/// Orders pairs as `Object.entries` does and lets a later pair replace the value of an earlier one of the same name.
pub(super) fn entries(pairs: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut kept: Vec<(String, Value)> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        match kept.iter_mut().find(|(other, _)| *other == key) {
            Some(old) => old.1 = value,
            None => kept.push((key, value)),
        }
    }
    // Array indices come first, in numeric order; the sort is stable for the rest.
    kept.sort_by_key(|(key, _)| index(key).map_or((1, 0), |index| (0, index)));
    kept
}

fn index(key: &str) -> Option<u32> {
    let index: u32 = key.parse().ok()?;
    (index.to_string() == key && index != u32::MAX).then_some(index)
}

/// Returns what `${value}` gives.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string(),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let item = |value: &Value| if value.is_null() { String::new() } else { text(value) };
            values.iter().map(item).collect::<Vec<_>>().join(",")
        }
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

/// Returns what `JSON.parse` of node 20 says about a text that is not JSON, and where.
///
/// The kinds of error are those of V8's `JsonParser`; their choice follows what serde stumbled over.
pub(super) fn syntax_error(raw: &str, error: &serde_json::Error) -> String {
    let said = error.to_string();
    let offset = offset_of(raw, error);
    let before = raw[..offset].trim_end();
    let position = raw[..offset].encode_utf16().count();
    let at = |what: &str| format!("SyntaxError: {what} in JSON at position {position}");
    let Some(token) = raw[offset..].chars().next() else {
        if said.contains("parsing a string") {
            return at("Unterminated string");
        }
        return match before.chars().next_back() {
            Some('{') => at("Expected property name or '}'"),
            Some('}' | ']' | '"') if said.contains("object") => at("Expected ',' or '}' after property value"),
            Some('}' | ']' | '"') if said.contains("list") => at("Expected ',' or ']' after array element"),
            _ => "SyntaxError: Unexpected end of JSON input".to_owned(),
        };
    };
    if said.contains("trailing characters") {
        return format!("SyntaxError: Unexpected non-whitespace character after JSON at position {position}");
    }
    if said.contains("key must be a string") || said.contains("trailing comma") && token == '}' {
        let first = before.ends_with('{');
        return at(if first { "Expected property name or '}'" } else { "Expected double-quoted property name" });
    }
    if said.contains("expected `:`") {
        return at("Expected ':' after property name");
    }
    if said.contains("expected `,` or `}`") {
        return at("Expected ',' or '}' after property value");
    }
    if said.contains("expected `,` or `]`") {
        return at("Expected ',' or ']' after array element");
    }
    if said.contains("control character") {
        return at("Bad control character in string literal");
    }
    if said.contains("escape") {
        return at("Bad escaped character");
    }
    format!("SyntaxError: Unexpected token '{token}', {} is not valid JSON", context(raw, position))
}

/// The byte offset serde points at.
pub(super) fn offset_of(raw: &str, error: &serde_json::Error) -> usize {
    let start: usize = raw.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // The column counts bytes and stands behind the token, except at the end.
    let column = if error.is_eof() { error.column() } else { error.column().saturating_sub(1) };
    let mut offset = (start + column).min(raw.len());
    while !raw.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Quotes ten characters to either side, as V8 does.
fn context(raw: &str, position: usize) -> String {
    const AROUND: usize = 10;
    let units: Vec<u16> = raw.encode_utf16().collect();
    let part = |from: usize, to: usize| String::from_utf16_lossy(&units[from..to.min(units.len())]);
    let length = units.len();
    if length <= 2 * AROUND {
        format!("\"{raw}\"")
    } else if position < AROUND {
        format!("\"{}\"...", part(0, position + AROUND))
    } else if position < length - AROUND {
        format!("...\"{}\"...", part(position - AROUND, position + AROUND))
    } else {
        format!("...\"{}\"", part(position - AROUND, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(raw: &str) -> String {
        syntax_error(raw, &serde_json::from_str::<Json>(raw).unwrap_err())
    }

    #[test]
    fn syntax_errors_read_as_in_node() {
        for (raw, error) in [
            ("abc", "SyntaxError: Unexpected token 'a', \"abc\" is not valid JSON"),
            ("", "SyntaxError: Unexpected end of JSON input"),
            ("{", "SyntaxError: Expected property name or '}' in JSON at position 1"),
            ("{a: 1}", "SyntaxError: Expected property name or '}' in JSON at position 1"),
            ("{\"a\": 1,}", "SyntaxError: Expected double-quoted property name in JSON at position 8"),
            ("{\"a\" 1}", "SyntaxError: Expected ':' after property name in JSON at position 5"),
            ("{\"a\": 1 \"b\"}", "SyntaxError: Expected ',' or '}' after property value in JSON at position 8"),
            ("{} x", "SyntaxError: Unexpected non-whitespace character after JSON at position 3"),
            (
                "go-mod: /go/pkg/mod\ngo-build: /x",
                "SyntaxError: Unexpected token 'g', \"go-mod: /g\"... is not valid JSON",
            ),
        ] {
            assert_eq!(said(raw), error, "{raw}");
        }
    }

    #[test]
    fn keys_come_in_javascript_order() {
        let Json::Object(pairs) = serde_json::from_str("{\"b\":1,\"10\":2,\"a\":3,\"9\":4,\"b\":5}").unwrap() else {
            panic!("an object");
        };
        let kept: Vec<_> = entries(pairs).iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(kept, ["9=4", "10=2", "b=5", "a=3"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(raw in "[{}\\[\\]\",:a1é \n\\\\]{0,40}") {
            if let Err(error) = serde_json::from_str::<Json>(&raw) {
                syntax_error(&raw, &error);
            }
        }
    }
}
