//! Small edits of a workflow or a Dockerfile that leave every other byte as it is. [`Editor`] is principal.

use super::LintEdit;
use super::place::input_span;
use crate::plan::PlannedStep;
use crate::source::{Source, Span};

/// Makes edits of one file.
pub(super) struct Editor<'a> {
    source: &'a Source,
}

impl<'a> Editor<'a> {
    /// Edits this file.
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source }
    }

    /// Replaces the bytes of a span.
    pub(super) fn replace(&self, span: Span, text: impl Into<String>) -> LintEdit {
        LintEdit { file: self.source.name.clone(), span, text: text.into() }
    }

    /// Replaces the value of an input that stands on one line.
    pub(super) fn set(&self, step: &PlannedStep, name: &str, value: &str) -> Option<LintEdit> {
        let span = step.input(name)?.span();
        self.is_own_line(span, name).then(|| self.replace(input_span(self.source, span), value))
    }

    /// Removes an input that stands on one line, with its line.
    pub(super) fn remove(&self, step: &PlannedStep, name: &str) -> Option<LintEdit> {
        let span = step.input(name)?.span();
        self.is_own_line(span, name).then(|| self.replace(self.whole_line(span.start), ""))
    }

    /// Removes the line of a key and its value, such as an `if:`.
    pub(super) fn remove_key(&self, span: Span, key: &str) -> Option<LintEdit> {
        self.is_own_line(span, key).then(|| self.replace(self.whole_line(span.start), ""))
    }

    /// Adds an input to a step that has some: above the first whose key has a line to itself.
    pub(super) fn add(&self, step: &PlannedStep, name: &str, value: &str) -> Option<LintEdit> {
        let line = step.with.iter().find_map(|(key, template)| {
            let span = self.whole_line(template.span().start);
            self.starts_with_key(span, key).then_some(span)
        })?;
        let text = &self.source.text[line.start..line.end];
        let indent = &text[..text.len() - text.trim_start().len()];
        let end = if text.ends_with("\r\n") { "\r\n" } else { "\n" };
        Some(self.replace(Span::new(line.start, line.start), format!("{indent}{name}: {value}{end}")))
    }

    /// Moves the lines of one step in front of another.
    pub(super) fn move_before(&self, step: &PlannedStep, before: &PlannedStep) -> Option<Vec<LintEdit>> {
        let from = self.step_lines(step)?;
        let to = self.step_lines(before)?;
        let text = self.source.text.get(from.start..from.end)?;
        // Without a line end of its own at the file's end, it would run into the next.
        let moved = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        (to.start < from.start)
            .then(|| vec![self.replace(from, ""), self.replace(Span::new(to.start, to.start), moved)])
    }

    /// The lines of a step: from its dash to before the next one, or to its end.
    fn step_lines(&self, step: &PlannedStep) -> Option<Span> {
        let start = self.whole_line(step.span.start).start;
        let first = self.source.text[start..].lines().next()?;
        let depth = first.len() - first.trim_start().len();
        if !first.trim_start().starts_with("- ") {
            return None;
        }
        let mut end = start;
        for (at, line) in self.source.text[start..].split_inclusive('\n').enumerate() {
            let indent = line.len() - line.trim_start().len();
            if at > 0 && !line.trim().is_empty() && indent <= depth {
                break;
            }
            end += line.len();
        }
        Some(Span::new(start, end))
    }

    /// Tells whether `key: value` is all that stands on the line of a value, and the value ends there.
    fn is_own_line(&self, span: Span, key: &str) -> bool {
        let line = self.whole_line(span.start);
        self.starts_with_key(line, key)
            && input_span(self.source, span).end <= line.end
            && !self.source.text[span.start..].starts_with(['|', '>'])
    }

    fn starts_with_key(&self, line: Span, key: &str) -> bool {
        let text = self.source.text[line.start..line.end].trim_start();
        text.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key))
            && text[key.len()..].trim_start().starts_with(':')
    }

    /// The line a byte stands in, its end included.
    fn whole_line(&self, at: usize) -> Span {
        let text = &self.source.text;
        let at = at.min(text.len());
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
        Span::new(start, end)
    }
}

/// Applies edits to a text; `None` where two of them overlap.
pub(super) fn apply(text: &str, edits: &[&LintEdit]) -> Option<String> {
    let mut sorted: Vec<&&LintEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        out.push_str(text.get(at..edit.span.start)?);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}
