//! The `if:` of a step; [`Condition`] is principal.

use super::eval::evaluate;
use super::locate::Locator;
use super::survey;
use super::tree::Expression;
use super::{Contexts, ExprError, JobStatus, Template};
use crate::source::{Span, Spanned};

/// When a step runs.
///
/// A condition without `success()`, `failure()`, `cancelled()` or `always()` also asks for the job's success so far, as
/// does a missing one. `${{ }}` around the whole is optional. A condition that mixes text with `${{ }}` is a text for
/// GitHub, and a text is true unless it is empty: `${{ false }} && x` runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    test: Test,
    raw: Option<String>,
    span: Span,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// No condition was written.
    Success,
    Expression {
        expression: Expression,
        names_status: bool,
    },
    Text {
        template: Template,
        names_status: bool,
    },
}

impl Condition {
    /// Returns the condition of a step without `if:`.
    pub fn success() -> Self {
        Self { test: Test::Success, raw: None, span: Span::default() }
    }

    /// Parses the text of an `if:`.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse(text: &Spanned<String>, source: &str) -> Result<Self, ExprError> {
        let test = if text.value.contains("${{") {
            let template = Template::parse(text, source)?;
            let names_status = template.expressions().any(survey::names_status);
            // Blanks around a lone expression are the author's layout, as in a block scalar.
            let sole = Template::parse(&text.clone().map(|text| text.trim().to_owned()), source)?;
            match sole.sole() {
                Some(expression) => Test::Expression { expression: expression.clone(), names_status },
                None => Test::Text { template, names_status },
            }
        } else if text.value.trim().is_empty() {
            Test::Success
        } else {
            let locator = Locator::new(text, source);
            let expression = Expression::parse(&text.value, 0, text.value.len(), &locator)?;
            Test::Expression { names_status: survey::names_status(&expression), expression }
        };
        Ok(Self { test, raw: Some(text.value.clone()), span: text.span })
    }

    /// Decides whether the step runs.
    ///
    /// # Errors
    /// As [`Template::evaluate`].
    pub fn evaluate(&self, contexts: &dyn Contexts) -> Result<bool, ExprError> {
        let names_status = match &self.test {
            Test::Success => false,
            Test::Expression { names_status, .. } | Test::Text { names_status, .. } => *names_status,
        };
        if !names_status && contexts.status() != JobStatus::Success {
            return Ok(false);
        }
        match &self.test {
            Test::Success => Ok(true),
            Test::Expression { expression, .. } => Ok(evaluate(expression, contexts)?.is_truthy()),
            Test::Text { template, .. } => Ok(template.value(contexts)?.is_truthy()),
        }
    }

    /// Returns the condition as written; `None` when there was no `if:`.
    pub fn raw(&self) -> Option<&str> {
        self.raw.as_deref()
    }

    /// Returns the place of the condition.
    pub fn span(&self) -> Span {
        self.span
    }
}
