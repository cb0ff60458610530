//! The report as one HTML file. [`html`] is principal.
//!
//! The file stands alone: no network, no script, no framework. What opens on a click is the browser's own (`details`,
//! `popover`), so that a keyboard and a screen reader work it too, and the file forbids every script and every request by a
//! policy of its own. Text from logs is data: it passes [`super::quote::plain`] and the escaping of `maud`, which knows no
//! unescaped text here but our own style sheet. What was not seen is drawn dashed, never as zero.

mod arrow;
mod flow;
mod lines;
mod page;
mod sections;
mod timeline;

pub(super) use lines::spans;
pub use page::{HtmlSubject, html};
pub(super) use page::{document, drawing, meaning, sign, subject};
