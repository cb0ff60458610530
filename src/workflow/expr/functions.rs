//! GitHub's expression functions that need nothing but their arguments; [`apply`] is principal.

use github_actions_expressions::call::Function;

use super::Value;
use super::json;
use super::value::{folded, same_text};

/// GitHub bounds the memory of an evaluation too; without a bound nested `format` calls grow exponentially.
const LONGEST: usize = 1 << 20;

/// Applies a function; the message of an error begins with the function's name.
pub(super) fn apply(function: Function, arguments: &[Value]) -> Result<Value, String> {
    match (function, arguments) {
        (Function::Contains, [hay, needle]) => Ok(Value::Bool(contains(hay, needle))),
        (Function::StartsWith, [text, part]) => Ok(Value::Bool(at_edge(text, part, Edge::Start))),
        (Function::EndsWith, [text, part]) => Ok(Value::Bool(at_edge(text, part, Edge::End))),
        (Function::Format, [template, values @ ..]) => fill(&template.render(), values).map(Value::String),
        (Function::Join, [items]) => join(items, ",").map(Value::String),
        (Function::Join, [items, separator]) => join(items, &separator.render()).map(Value::String),
        (Function::ToJSON, [value]) => {
            let text = json::write(value);
            bounded("toJSON", &text).map(|()| Value::String(text))
        }
        (Function::FromJSON, [text]) => json::read(&text.render()).map_err(|error| format!("fromJSON: {error}")),
        (function, _) => Err(format!("{function:?}: wrong number of arguments")),
    }
}

fn contains(hay: &Value, needle: &Value) -> bool {
    match hay {
        Value::Array(items) => items.iter().any(|item| item.loosely_equals(needle)),
        hay if hay.is_primitive() && needle.is_primitive() => {
            let hay: String = folded(&hay.render()).collect();
            let needle: String = folded(&needle.render()).collect();
            hay.contains(&needle)
        }
        _ => false,
    }
}

enum Edge {
    Start,
    End,
}

fn at_edge(text: &Value, part: &Value, edge: Edge) -> bool {
    if !text.is_primitive() || !part.is_primitive() {
        return false;
    }
    let (text, part) = (text.render(), part.render());
    let (letters, wanted) = (text.chars().count(), part.chars().count());
    let Some(beyond) = letters.checked_sub(wanted) else { return false };
    let side: String = match edge {
        Edge::Start => text.chars().take(wanted).collect(),
        Edge::End => text.chars().skip(beyond).collect(),
    };
    same_text(&side, &part)
}

fn join(items: &Value, separator: &str) -> Result<String, String> {
    let mut result = String::new();
    match items {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                result.push_str(if index == 0 { "" } else { separator });
                result.push_str(&item.render());
                bounded("join", &result)?;
            }
        }
        Value::Object(_) => {}
        single => result.push_str(&single.render()),
    }
    Ok(result)
}

fn bounded(function: &str, result: &str) -> Result<(), String> {
    if result.len() > LONGEST { Err(format!("{function}: the result is longer than {LONGEST} bytes")) } else { Ok(()) }
}

/// Replaces `{0}`, `{1}` …; `{{` and `}}` stand for braces.
fn fill(template: &str, values: &[Value]) -> Result<String, String> {
    let invalid = || format!("format: the format text is invalid: {template}");
    let mut result = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        let brace = &rest[at..];
        if let Some(after) = brace.strip_prefix("{{") {
            result.push('{');
            rest = after;
        } else if let Some(after) = brace.strip_prefix("}}") {
            result.push('}');
            rest = after;
        } else {
            let (number, after) = brace.strip_prefix('{').and_then(|tail| tail.split_once('}')).ok_or_else(invalid)?;
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let index: usize = number.parse().ok().filter(|_| digits).ok_or_else(invalid)?;
            let value = values.get(index);
            let value = value.ok_or_else(|| format!("format: there is no argument {{{index}}} for: {template}"))?;
            result.push_str(&value.render());
            bounded("format", &result)?;
            rest = after;
        }
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_fills_places_and_unescapes_braces() {
        let values = ["a".into(), Value::Number(2.0)];
        assert_eq!(fill("{{{1}}} {0}-{0}", &values), Ok("{2} a-a".to_owned()));
        assert_eq!(fill("{2}", &values), Err("format: there is no argument {2} for: {2}".to_owned()));
        assert_eq!(fill("{x}", &values), Err("format: the format text is invalid: {x}".to_owned()));
        assert_eq!(fill("}", &values), Err("format: the format text is invalid: }".to_owned()));
    }

    #[test]
    fn contains_searches_texts_without_case_and_lists_by_equality() {
        assert!(contains(&"refs/heads/Main".into(), &"MAIN".into()));
        let list = Value::Array(vec!["push".into(), Value::Number(1.0)]);
        assert!(contains(&list, &"PUSH".into()) && contains(&list, &"1".into()));
        assert!(!contains(&list, &"pus".into()));
    }

    #[test]
    fn edges_compare_whole_characters() {
        assert!(at_edge(&"Éa".into(), &"é".into(), Edge::Start));
        assert!(at_edge(&"aÉ".into(), &"é".into(), Edge::End));
        assert!(!at_edge(&"a".into(), &"aa".into(), Edge::Start));
        assert!(at_edge(&Value::Null, &"".into(), Edge::End));
    }
}
