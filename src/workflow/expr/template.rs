//! Texts with `${{ … }}` in them; [`Template`] is principal. Conditions are [`super::Condition`]'s subject.

use super::eval::evaluate;
use super::locate::Locator;
use super::survey;
use super::tree::Expression;
use super::{Contexts, ExprError, Value};
use crate::source::{Span, Spanned};

/// A text of a workflow, parsed once, that becomes a text when its expressions are evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub(super) parts: Vec<TemplatePart>,
    raw: String,
    span: Span,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TemplatePart {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Parses a text; the source is what the text's span points into, and gives the expressions their places.
    ///
    /// # Errors
    /// When an expression is not closed, not one, or names a context GitHub does not have.
    pub fn parse(text: &Spanned<String>, source: &str) -> Result<Self, ExprError> {
        let value = text.value.as_str();
        let mut parts = Vec::new();
        let locator = Locator::new(text, source);
        let mut at = 0;
        while let Some(open) = value[at..].find("${{").map(|found| at + found) {
            if open > at {
                parts.push(TemplatePart::Text(value[at..open].to_owned()));
            }
            let inside = open + 3;
            let span = locator.span(open, inside);
            let close = closing(&value[inside..]).ok_or(ExprError::NotClosed { span })?;
            parts.push(TemplatePart::Expression(Expression::parse(value, inside, inside + close, &locator)?));
            at = inside + close + 2;
        }
        if at < value.len() {
            parts.push(TemplatePart::Text(value[at..].to_owned()));
        }
        Ok(Self { parts, raw: value.to_owned(), span: text.span })
    }

    /// Parses a text that stands in no file, such as the default of an input; its places count within the text.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn unplaced(text: &str) -> Result<Self, ExprError> {
        Self::parse(&Spanned::new(text.to_owned(), Span::new(0, text.len())), text)
    }

    /// Evaluates the expressions and joins the pieces.
    ///
    /// # Errors
    /// When an expression needs what is not reproduced, or a function refuses its arguments.
    pub fn evaluate(&self, contexts: &dyn Contexts) -> Result<String, ExprError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                TemplatePart::Text(piece) => text.push_str(piece),
                TemplatePart::Expression(expression) => text.push_str(&evaluate(expression, contexts)?.render()),
            }
        }
        Ok(text)
    }

    /// Evaluates as far as it can: what cannot be evaluated stands between `\u{E000}` and `\u{E001}` as it is written, and is
    /// returned with its reason.
    pub fn evaluate_marking(&self, contexts: &dyn Contexts) -> (String, Vec<(String, ExprError)>) {
        let (mut text, mut unknown) = (String::new(), Vec::new());
        for part in &self.parts {
            match part {
                TemplatePart::Text(piece) => text.push_str(piece),
                TemplatePart::Expression(expression) => match evaluate(expression, contexts) {
                    Ok(value) => text.push_str(&value.render()),
                    Err(error) => {
                        text.push_str(&format!("\u{E000}{}\u{E001}", expression.text));
                        unknown.push((expression.text.clone(), error));
                    }
                },
            }
        }
        (text, unknown)
    }

    /// Evaluates what can be, and says whether that was all: an expression that cannot be evaluated, or that names one of these
    /// contexts, leaves the mask in its place.
    pub fn evaluate_partly(&self, contexts: &dyn Contexts, unknown: &[&str], mask: &str) -> (String, bool) {
        let (mut text, mut whole) = (String::new(), true);
        for part in &self.parts {
            match part {
                TemplatePart::Text(piece) => text.push_str(piece),
                TemplatePart::Expression(expression) => {
                    let known = !unknown.iter().any(|context| survey::names_context(expression, context));
                    match known.then(|| evaluate(expression, contexts)) {
                        Some(Ok(value)) => text.push_str(&value.render()),
                        _ => {
                            text.push_str(mask);
                            whole = false;
                        }
                    }
                }
            }
        }
        (text, whole)
    }

    /// Returns the text as it was written.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns the place of the whole text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Tells whether the text holds no expression, so that it is its own value.
    pub fn is_literal(&self) -> bool {
        self.expressions().next().is_none()
    }

    /// Returns the text of a literal; `None` when there is something to evaluate.
    pub fn literal(&self) -> Option<&str> {
        self.is_literal().then_some(&self.raw)
    }

    /// Returns the only expression of a text that is nothing but one.
    pub(super) fn sole(&self) -> Option<&Expression> {
        match self.parts.as_slice() {
            [TemplatePart::Expression(expression)] => Some(expression),
            _ => None,
        }
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Expression(expression) => Some(expression),
            TemplatePart::Text(_) => None,
        })
    }

    /// Evaluates to a value where the text is a single expression, else to a text.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn value(&self, contexts: &dyn Contexts) -> Result<Value, ExprError> {
        match self.sole() {
            Some(expression) => evaluate(expression, contexts),
            None => self.evaluate(contexts).map(Value::String),
        }
    }
}

/// Finds the `}}` that ends an expression, passing over those inside quotes.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quoted = false;
    (0..bytes.len()).find(|at| {
        quoted ^= bytes[*at] == b'\'';
        !quoted && bytes[*at..].starts_with(b"}}")
    })
}
