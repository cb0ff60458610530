//! Where facts become events with their quotes. [`EventLog`] is principal.
//!
//! It bounds what a log can make the program remember, and makes quoted lines harmless to a terminal.

use std::sync::Arc;
use std::time::SystemTime;

use crate::evidence::{Event, Fact, Quote, StepId};

/// Longest quoted line, in characters.
const QUOTE: usize = 500;

/// The line that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineContext<'a> {
    /// The file.
    pub(super) source: &'a Arc<str>,
    /// Its number in the file, from 1.
    pub(super) number: usize,
    /// Its timestamp.
    pub(super) at: Option<SystemTime>,
    /// Its text as it is quoted.
    pub(super) shown: &'a str,
}

impl LineContext<'_> {
    /// Quotes the line.
    pub(super) fn quote(&self) -> Quote {
        Quote::line(self.source, self.number, harmless(self.shown))
    }

    /// Makes an event of a fact that the line shows.
    pub(super) fn event(&self, step: Option<StepId>, fact: Fact) -> Event {
        Event { step, at: self.at, quote: self.quote(), fact }
    }
}

/// Gathers the events of one job.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    /// The events, in the order in which they were seen.
    pub(super) events: Vec<Event>,
    /// How many more fit.
    pub(super) room: usize,
    /// Some did not fit.
    pub(super) full: bool,
}

impl EventLog {
    /// Adds a fact that a line shows.
    pub(super) fn add(&mut self, spot: &LineContext<'_>, step: Option<StepId>, fact: Fact) {
        if self.room > 0 {
            self.push(spot.event(step, fact));
        } else {
            self.full = true;
        }
    }

    /// Adds an event made earlier.
    pub(super) fn push(&mut self, event: Event) {
        if self.room == 0 {
            self.full = true;
            return;
        }
        self.room -= 1;
        self.events.push(event);
    }
}

/// Cuts a line to a length fit to be shown, and drops what a terminal or a reader's eye could take for something else:
/// control characters and the marks that reorder text.
pub(super) fn harmless(text: &str) -> String {
    let kept = |char: &char| {
        !(char.is_control() && *char != '\t'
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'))
    };
    let mut quoted: String = text.trim_end().chars().filter(kept).take(QUOTE).collect();
    if quoted.len() < text.trim_end().len() && text.chars().filter(kept).nth(QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_cannot_drive_a_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{7}c\u{202e}d\te \u{9b}f\r"), "a[2Jbcd\te f");
        assert_eq!(harmless(&"é".repeat(501)).chars().count(), 501);
        assert!(harmless(&"é".repeat(501)).ends_with('…'));
    }

    #[test]
    fn a_full_sink_says_so() {
        let mut sink = EventLog { room: 1, ..EventLog::default() };
        let spot = LineContext { source: &Arc::from("f"), number: 1, at: None, shown: "x" };
        sink.add(&spot, None, Fact::DanceHung);
        assert!(!sink.full);
        sink.add(&spot, None, Fact::DanceHung);
        assert!(sink.full && sink.events.len() == 1);
    }
}
