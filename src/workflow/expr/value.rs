//! The values of GitHub expressions and their conversions; [`Value`] is principal.
//!
//! Follows the runner's `EvaluationResult`: loose equality, text compared without regard to case, numbers printed with
//! fifteen digits. Objects and arrays are equal to nothing (on GitHub they equal only themselves).

use std::borrow::Cow;
use std::cmp::Ordering;

use github_actions_expressions::Evaluation;

/// What an expression evaluates to.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing: what a missing property gives.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number; GitHub has doubles only.
    Number(f64),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Properties in their order; names are found without regard to case.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Tells whether GitHub takes the value for true: all but `false`, `0`, `NaN`, `''` and `null`.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// Renders the value as GitHub inserts it into a text: `null` is empty, a list is the word `Array`.
    pub fn render(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(format_number(*number)),
            Self::String(text) => Cow::Borrowed(text),
            Self::Array(_) => Cow::Borrowed("Array"),
            Self::Object(_) => Cow::Borrowed("Object"),
        }
    }

    /// Converts to a number as GitHub's operators do; what is no number becomes `NaN`.
    pub fn as_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::String(text) => Evaluation::String(text.clone()).as_number(),
            Self::Array(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// Returns a property of an object or an element of an array; `Null` when there is none.
    pub fn index(&self, key: &Value) -> Value {
        match self {
            Self::Object(_) if matches!(key, Self::Array(_) | Self::Object(_)) => Self::Null,
            Self::Object(_) => self.property(&key.render()).cloned().unwrap_or_default(),
            Self::Array(items) => {
                let at = key.as_number();
                let item = items.iter().enumerate().find(|(index, _)| *index as f64 == at.floor());
                item.map(|(_, item)| item.clone()).unwrap_or_default()
            }
            _ => Self::Null,
        }
    }

    /// Finds a property: the exact name first, then without regard to case.
    pub fn property(&self, name: &str) -> Option<&Value> {
        let Self::Object(properties) = self else { return None };
        let exact = properties.iter().find(|(key, _)| key == name);
        exact.or_else(|| properties.iter().find(|(key, _)| same_text(key, name))).map(|(_, value)| value)
    }

    /// Follows a path of property names, so that a tree of values can serve as contexts.
    pub fn at(&self, path: &[String]) -> Value {
        path.iter().fold(self.clone(), |value, name| value.index(&Self::String(name.clone())))
    }

    /// Compares with GitHub's loose equality.
    pub fn loosely_equals(&self, other: &Self) -> bool {
        match coerced(self, other) {
            Coerced::Nulls => true,
            Coerced::Bools(left, right) => left == right,
            Coerced::Numbers(left, right) => left == right,
            Coerced::Texts(left, right) => same_text(left, right),
            Coerced::Unlike => false,
        }
    }

    /// Orders two values as `<` and `>` do; `None` when neither holds.
    pub fn loosely_compares(&self, other: &Self) -> Option<Ordering> {
        match coerced(self, other) {
            Coerced::Bools(left, right) => Some(left.cmp(&right)),
            Coerced::Numbers(left, right) => left.partial_cmp(&right),
            Coerced::Texts(left, right) => Some(folded(left).cmp(folded(right))),
            Coerced::Nulls => Some(Ordering::Equal),
            Coerced::Unlike => None,
        }
    }

    /// Tells whether the value is neither an array nor an object.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Two values brought to one kind.
enum Coerced<'a> {
    Nulls,
    Bools(bool, bool),
    Numbers(f64, f64),
    Texts(&'a str, &'a str),
    Unlike,
}

fn coerced<'a>(left: &'a Value, right: &'a Value) -> Coerced<'a> {
    match (left, right) {
        (Value::Null, Value::Null) => Coerced::Nulls,
        (Value::Bool(left), Value::Bool(right)) => Coerced::Bools(*left, *right),
        (Value::String(left), Value::String(right)) => Coerced::Texts(left, right),
        (left, right) if left.is_primitive() && right.is_primitive() => {
            Coerced::Numbers(left.as_number(), right.as_number())
        }
        _ => Coerced::Unlike,
    }
}

/// Compares two texts without regard to case, character by character, as .NET's ordinal comparison does.
pub(super) fn same_text(left: &str, right: &str) -> bool {
    folded(left).eq(folded(right))
}

/// Upper-cases one character to one character; those whose upper case is longer stay as they are.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().map(|letter| {
        let mut upper = letter.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(only), None) => only,
            _ => letter,
        }
    })
}

/// Prints a number as .NET's `G15` does, which is what a person sees on GitHub: `1`, `1.5`, `1E+15`, `1E-05`.
pub(in crate::workflow) fn format_number(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    let scientific = format!("{number:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number != 0.0 && (exponent <= -5 || exponent >= 15) {
        let mantissa = trimmed(mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}E{sign}{:02}", exponent.abs());
    }
    let decimals = usize::try_from(14 - exponent).unwrap_or(0);
    trimmed(&format!("{number:.decimals$}")).to_owned()
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_on_github() {
        let printed = [1.0, 1.20, 0.1 + 0.2, 1e15, 1e14, 0.0001, 0.00001, -2.5, f64::NAN, f64::INFINITY, 0.0];
        let printed: Vec<_> = printed.into_iter().map(format_number).collect();
        let expected =
            ["1", "1.2", "0.3", "1E+15", "100000000000000", "0.0001", "1E-05", "-2.5", "NaN", "Infinity", "0"];
        assert_eq!(printed, expected);
    }

    #[test]
    fn equality_ignores_case_and_coerces_unlike_kinds_to_numbers() {
        let text = |text: &str| Value::from(text);
        assert!(text("Main").loosely_equals(&text("mAIN")));
        assert!(text("").loosely_equals(&Value::Null));
        assert!(text("1").loosely_equals(&Value::Bool(true)));
        assert!(!text("true").loosely_equals(&Value::Bool(true)), "'true' is NaN as a number");
        assert!(!Value::Number(f64::NAN).loosely_equals(&Value::Number(f64::NAN)));
        assert!(!Value::Array(vec![]).loosely_equals(&Value::Array(vec![])));
    }

    #[test]
    fn properties_are_found_without_regard_to_case_and_elements_by_number() {
        let tree = Value::Object(vec![("Ref".into(), Value::Array(vec!["a".into(), "b".into()]))]);
        assert_eq!(tree.at(&["ref".into(), "1".into()]), Value::from("b"));
        assert_eq!(tree.at(&["ref".into(), "7".into()]), Value::Null);
        assert_eq!(tree.at(&["ref".into(), "x".into()]), Value::Null);
    }
}
