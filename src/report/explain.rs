//! The page of one finding code, or of one obligation. [`explain`] is principal.

use super::style::wrap;
use crate::lint::LintDefinition;
use crate::verify::{Code, CodePage, ObligationId};

/// How wide a page is.
const WIDTH: usize = 80;

/// Writes what a code means, what a person sees, why it matters and what to do.
pub fn explain(code: Code) -> String {
    page(&format!("{code}  (check {})", code.check().as_str()), "What you see", code.docs())
}

/// Writes the page of a code that only a lint reports.
pub fn explain_lint(definition: &LintDefinition) -> String {
    let title = format!("{}  (lint, {})", definition.code, definition.severity.as_str());
    page(&title, "What you see", definition.page)
}

/// Writes what an obligation asks for, which lines show it, why it matters and what to do where it is missing.
pub fn explain_obligation(id: ObligationId) -> String {
    page(&format!("{id}  (an obligation of an effective verdict)"), "What shows it", id.page())
}

fn page(title: &str, example: &str, page: CodePage) -> String {
    let mut lines = vec![title.to_owned(), String::new()];
    lines.extend(wrap(page.what, WIDTH));
    for (label, words) in [(example, page.example), ("Why it matters", page.why), ("What to do", page.fix)] {
        lines.extend([String::new(), label.to_owned()]);
        // What a log says is not broken into lines: a person searches for it.
        let inner =
            if words == page.example { words.lines().map(str::to_owned).collect() } else { wrap(words, WIDTH - 2) };
        lines.extend(inner.into_iter().map(|line| format!("  {line}")));
    }
    lines.push(String::new());
    lines.join("\n")
}
