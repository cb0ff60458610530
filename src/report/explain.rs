//! The page of one finding code. [`explain`] is principal.

use super::style::wrap;
use crate::verify::Code;

/// How wide a page is.
const WIDTH: usize = 80;

/// Writes what a code means, what a person sees, why it matters and what to do.
pub fn explain(code: Code) -> String {
    let page = code.docs();
    let mut lines = vec![format!("{code}  (check {})", code.check().as_str()), String::new()];
    lines.extend(wrap(page.what, WIDTH));
    for (label, words) in [("What you see", page.example), ("Why it matters", page.why), ("What to do", page.fix)] {
        lines.extend([String::new(), label.to_owned()]);
        // What a log says is not broken into lines: a person searches for it.
        let inner =
            if words == page.example { words.lines().map(str::to_owned).collect() } else { wrap(words, WIDTH - 2) };
        lines.extend(inner.into_iter().map(|line| format!("  {line}")));
    }
    lines.push(String::new());
    lines.join("\n")
}
