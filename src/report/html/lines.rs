//! Quoted lines, as they open on a click. [`LinesBox`] is principal.

use maud::{Markup, html};

use super::super::quote::{place, plain};
use crate::evidence::Quote;

/// A box of quoted lines that a button opens.
pub(super) struct LinesBox<'a> {
    /// The box's id in the document.
    pub(super) id: String,
    /// What the lines show.
    pub(super) title: String,
    /// The lines.
    pub(super) lines: &'a [Quote],
}

impl LinesBox<'_> {
    /// Writes the box; without lines it says so, since a click must not seem to do nothing.
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.popup popover id=(self.id) role="dialog" aria-label=(plain(&self.title)) {
                p.popup-title { (plain(&self.title)) }
                @if self.lines.is_empty() {
                    p { "Nothing that was read shows this: it is unknown." }
                } @else {
                    (quotes(self.lines))
                }
                button.close type="button" popovertarget=(self.id) popovertargetaction="hide" { "Close" }
            }
        }
    }
}

/// Writes quotes with the file and the line that they stand in.
pub(super) fn quotes(quotes: &[Quote]) -> Markup {
    html! {
        ol.quotes {
            @for quote in quotes {
                li {
                    span.place { (place(quote)) }
                    @if quote.line.is_none() { " " span.measured { "(measured)" } }
                    pre tabindex="0" { (plain(&quote.text)) }
                }
            }
        }
    }
}

/// Writes prose of ours in paragraphs; lines that are indented are code.
pub(super) fn prose(text: &str) -> Markup {
    let mut blocks: Vec<(bool, String)> = Vec::new();
    for line in text.lines() {
        let code = line.starts_with("  ");
        match blocks.last_mut() {
            Some((last, block)) if *last == code => {
                block.push('\n');
                block.push_str(&plain(line));
            }
            _ => blocks.push((code, plain(line))),
        }
    }
    html! {
        @for (code, block) in blocks {
            @if code { pre.code tabindex="0" { (block) } } @else { p { (spans(&block)) } }
        }
    }
}

/// Writes text with what stands between backticks as code.
pub(in crate::report) fn spans(text: &str) -> Markup {
    let text = plain(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd one out is no pair: then all is text.
    let paired = parts.len() % 2 == 1;
    html! {
        @if paired {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else {
            (text)
        }
    }
}
