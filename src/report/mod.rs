//! Turns a [`Report`](crate::verify::Report) into text or JSON. Pure: it returns strings and never prints.
//!
//! Each renderer has a file: [`text()`] for people, [`json()`] for programs, [`github()`] for workflow annotations, [`markdown()`]
//! for a step summary, [`html()`] for a browser, [`sarif()`] for code scanning, [`junit()`] for what reads tests, [`explain()`]
//! for the page of one code, those of [`catalogue`] for the scenarios, those of [`lint`] for what lint
//! finds. None of them judges.

pub mod catalogue;
mod explain;
mod folder;
mod github;
mod html;
mod json;
mod junit;
pub mod lint;
mod markdown;
mod quote;
mod replay;
mod runs;
mod sarif;
mod schema;
mod screen;
mod style;
mod text;

#[cfg(test)]
mod tests;

pub use explain::{explain, explain_lint, explain_obligation};
pub use folder::folder_readme;
pub use github::{github, github_of_job};
pub use html::{HtmlSubject, html};
pub use json::{Document, ErrorDocument, SCHEMA, error_json, json, json_of_jobs};
pub use junit::junit;
pub use markdown::markdown;
pub use replay::{ReplayLine, ReplayStyle, ReplayWait, beside, diff, dimmed, heading, paragraph, replay};
pub use sarif::sarif;
pub use schema::REPORT_SCHEMA;
pub use text::{TextOptions, brief, text};
