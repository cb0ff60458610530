//! What lint finds, in the words asked for. [`text`] is principal.

mod github;
mod json;
mod sarif;
mod text;

pub use github::github;
pub use json::json;
pub use sarif::sarif;
pub use text::{TextStyle, text};

use crate::lint::{LintPlace, LintReport};
use crate::source::Position;

/// The place of a span for people and programs: where it begins and where it ends.
fn lines(report: &LintReport, place: &LintPlace) -> Option<(Position, Position)> {
    let source = report.sources.get(&place.file)?;
    Some((source.place(place.span.start), source.place(place.span.end)))
}
