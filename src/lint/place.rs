//! From spans to quotes and back. Facts quote lines, findings point at bytes. [`quote`] and [`of_quote`] are principal.

use std::sync::Arc;

use super::LintPlace;
use crate::evidence::Quote;
use crate::source::{Source, Span};

/// Quotes the first line of a span.
pub(super) fn quote(source: &Source, span: Span) -> Quote {
    let line = source.place(span.start).line;
    Quote::line(&Arc::from(source.name.as_str()), line, first_line(source, span))
}

/// Returns the text of a span up to the end of its first line.
fn first_line(source: &Source, span: Span) -> &str {
    let text = source.text.get(span.start..span.end).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim_end().trim_end_matches('\\').trim_end()
}

/// Returns the place that a quote names: its text in its line, or the whole line.
pub(super) fn of_quote(source: &Source, quote: &Quote) -> Option<LintPlace> {
    let number = quote.line?;
    let mut start = 0;
    for (at, line) in source.text.split_inclusive('\n').enumerate() {
        if at + 1 == number {
            let body = line.trim_end();
            let lead = body.len() - body.trim_start().len();
            let found = (!quote.text.is_empty()).then(|| body.find(quote.text.as_str())).flatten();
            let span = match found {
                Some(at) => Span::new(start + at, start + at + quote.text.len()),
                None => Span::new(start + lead, start + body.len()),
            };
            return Some(LintPlace { file: source.name.clone(), span, label: None });
        }
        start += line.len();
    }
    None
}

/// Returns the span to show for an input: its value, or the line of its key where the value is a block.
pub(super) fn input_span(source: &Source, span: Span) -> Span {
    let text = source.text.get(span.start..span.end).unwrap_or_default();
    if !text.starts_with(['|', '>']) && !text.trim_end().contains('\n') {
        return Span::new(span.start, span.start + text.trim_end().len());
    }
    let start = source.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = source.text[start..].lines().next().unwrap_or_default();
    let lead = line.len() - line.trim_start().len();
    Span::new(start + lead, start + line.trim_end().len())
}
