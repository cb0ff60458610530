//! Foreign text made safe to show. [`plain`] is principal.
//!
//! A quoted line comes from a log that anybody may have written: an escape sequence in it must not reach a terminal.

use crate::evidence::Quote;

/// Makes control and direction-changing characters visible, and tabs spaces.
pub(super) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => safe.push(' '),
            c if c.is_control() || changes_direction(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Makes each line of a longer text safe and keeps its line breaks.
pub(super) fn plain_lines(text: &str) -> Vec<String> {
    text.lines().map(plain).collect()
}

/// Names where a quote stands: `run-2/job.log:41`, or who measured it.
pub(super) fn place(quote: &Quote) -> String {
    match quote.line {
        Some(line) => format!("{}:{line}", plain(&quote.source)),
        None => plain(&quote.source),
    }
}

fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_sent() {
        assert_eq!(plain("\u{1b}[2J\tx\u{7}\u{202e}é"), "\\u{1b}[2J x\\u{7}\\u{202e}é");
    }
}
