//! The inputs of a step that uses actions/cache, read as the action reads them. [`Inputs`] is principal.
//!
//! Foreign facts: actions/cache `src/utils/actionUtils.ts` (`getInputAsArray`, `getInputAsBool`) and `core.getInput`.
//! `upload-chunk-size` and `save-always` are not read: the current service ignores the one, nothing reads the other.

/// The inputs, after splitting and trimming. Keys are not yet checked: that is [`super::Keys::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The primary key.
    pub key: String,
    /// The path patterns, in order.
    pub paths: Vec<String>,
    /// The restore keys, in order.
    pub restore_keys: Vec<String>,
    /// Whether a miss fails the step.
    pub fail_on_cache_miss: bool,
    /// Whether a hit is reported but not downloaded.
    pub lookup_only: bool,
    /// Whether entries are shared with Windows; it changes the version only there.
    pub enable_cross_os_archive: bool,
}

impl Inputs {
    /// Reads the inputs from a step's `with:` values, already evaluated. Names match in any case, as on the runner.
    ///
    /// # Errors
    /// [`InputError`] when `key` or `path` is absent or empty, in the action's own words; `key` is looked at first.
    pub fn parse<'a>(with: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, InputError> {
        let with: Vec<_> = with.into_iter().collect();
        // The runner sets one variable per input, so the last of two spellings of a name wins.
        let raw = |name: &str| {
            let same = |given: &str| given.replace(' ', "_").eq_ignore_ascii_case(name);
            with.iter().rev().find(|(given, _)| same(given)).map_or("", |(_, value)| *value)
        };
        let required = |name: &'static str| match raw(name) {
            "" => Err(InputError { name }),
            value => Ok(value),
        };
        let flag = |name: &str| raw(name).trim().to_lowercase() == "true";
        Ok(Self {
            key: required("key")?.trim().to_owned(),
            paths: lines(required("path")?),
            restore_keys: lines(raw("restore-keys")),
            fail_on_cache_miss: flag("fail-on-cache-miss"),
            lookup_only: flag("lookup-only"),
            enable_cross_os_archive: flag("enableCrossOsArchive"),
        })
    }
}

/// Splits a multi-line input: `! pattern` becomes `!pattern`, lines are trimmed, empty ones dropped.
fn lines(value: &str) -> Vec<String> {
    let negation = |line: &str| match line.strip_prefix('!') {
        Some(rest) => format!("!{}", rest.trim_start()),
        None => line.to_owned(),
    };
    value.split('\n').map(|line| negation(line).trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// A required input that is absent or empty; displays the action's exact message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Input required and not supplied: {name}")]
pub struct InputError {
    /// The input's name.
    pub name: &'static str,
}

impl InputError {
    /// Says what to change in the workflow.
    pub fn hint(&self) -> String {
        format!(
            "give the step a `{}` under `with:`; an expression that evaluates to nothing counts as absent",
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn multi_line_inputs_are_split_and_trimmed() {
        let inputs =
            Inputs::parse([("key", " go-1 "), ("path", "  a/b \n\n!  a/b/tmp\n ~/c\n"), ("Restore-Keys", "go-\n")])
                .unwrap();
        assert_eq!(inputs.key, "go-1");
        assert_eq!(inputs.paths, ["a/b", "!a/b/tmp", "~/c"]);
        assert_eq!(inputs.restore_keys, ["go-"]);
    }

    #[test]
    fn only_true_in_any_case_switches_something_on() {
        let parse = |value| Inputs::parse([("key", "k"), ("path", "p"), ("lookup-only", value)]).unwrap().lookup_only;
        assert!(parse("true") && parse("TRUE") && parse(" True "));
        assert!(!parse("yes") && !parse("1") && !parse("") && !parse("truee"));
    }

    #[test]
    fn a_missing_required_input_is_named_key_first() {
        assert_eq!(Inputs::parse([]).unwrap_err().to_string(), "Input required and not supplied: key");
        assert_eq!(
            Inputs::parse([("key", "k"), ("path", "")]).unwrap_err().to_string(),
            "Input required and not supplied: path"
        );
    }

    proptest! {
        #[test]
        fn any_values_are_read_without_a_panic(key in ".*", path in "(?s).*", flag in ".*") {
            if let Ok(inputs) = Inputs::parse([("key", &*key), ("path", &*path), ("lookup-only", &*flag)]) {
                prop_assert!(inputs.paths.iter().all(|path| !path.is_empty() && !path.contains('\n')));
            }
        }
    }
}
