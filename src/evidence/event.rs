//! An event: one fact, where it was seen, and in which step. [`Event`] is principal.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Fact, StepId};

/// One fact as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The step the fact belongs to, where that is known. A post step has an id of its own.
    pub step: Option<StepId>,
    /// When it was seen, where the source says so.
    pub at: Option<SystemTime>,
    /// The line, or the measurement, the fact rests on.
    pub quote: Quote,
    /// What was seen.
    pub fact: Fact,
}

/// What a fact rests on: a quoted line, or a measurement put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The file the line stands in, or who measured it (such as `engine`).
    pub source: Arc<str>,
    /// The line's number, from 1; `None` for a measurement.
    pub line: Option<usize>,
    /// The line without its timestamp, or the measurement in words.
    pub text: String,
}

impl Quote {
    /// Quotes a line of a file.
    pub fn line(source: &Arc<str>, line: usize, text: impl Into<String>) -> Self {
        Self { source: Arc::clone(source), line: Some(line), text: text.into() }
    }

    /// Puts a measurement into words; `source` says who measured.
    pub fn measured(source: &str, text: impl Into<String>) -> Self {
        Self { source: Arc::from(source), line: None, text: text.into() }
    }
}

/// A value together with its place in the order of events and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen<T> {
    /// The value.
    pub value: T,
    /// The position among the run's events, from 0; compare two to know which came first.
    pub order: usize,
    /// When it was seen, where known.
    pub at: Option<SystemTime>,
    /// What it rests on.
    pub quote: Quote,
}

impl<T> Seen<T> {
    /// Changes the value and keeps the rest.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Seen<U> {
        Seen { value: change(self.value), order: self.order, at: self.at, quote: self.quote }
    }
}
