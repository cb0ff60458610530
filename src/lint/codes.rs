//! The codes that only a lint reports. [`definitions`] is principal; each code is defined in the file of its rule.

use super::LintDefinition;
use super::rules;

/// Returns every code of the lint's own, in the order in which a person should fix things.
pub fn definitions() -> &'static [LintDefinition] {
    rules::DEFINITIONS
}

/// Returns the definition of a code.
pub fn definition(code: &str) -> Option<&'static LintDefinition> {
    definitions().iter().find(|definition| definition.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Code;

    #[test]
    fn a_code_is_defined_once_and_has_a_full_page() {
        for (at, one) in definitions().iter().enumerate() {
            assert!(definitions()[at + 1..].iter().all(|other| other.code != one.code), "{}", one.code);
            assert!(one.code.parse::<Code>().is_err(), "{} is the verifier's own", one.code);
            for part in [one.page.what, one.page.why, one.page.example, one.page.fix] {
                assert!(part.len() > 20 && part.trim() == part, "{}: {part:?}", one.code);
            }
            assert_eq!(one.page.why.matches(". ").count(), 0, "{}: the why is one sentence", one.code);
        }
    }
}
