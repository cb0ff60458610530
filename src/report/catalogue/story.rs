//! What of a scenario is told in words wherever it is told. [`Story`] is principal.

use crate::catalogue::SelectedScenario;
use crate::scenario::{EditName, Expect, GoRelease, TriggerEvent};
use crate::verify::Code;

/// A scenario's words.
pub(super) struct Story {
    /// What happens from run to run, one line each.
    pub(super) runs: Vec<String>,
    /// What the verifier says in the end.
    pub(super) live: Ending,
    /// What it says of the logs alone, where that is something else.
    pub(super) log: Option<Ending>,
    /// What it says once the fault is undone; `None` where there is none to undo.
    pub(super) fixed: Option<Ending>,
}

/// A verdict and the codes with their meaning.
pub(super) struct Ending {
    pub(super) verdict: String,
    pub(super) codes: Vec<(String, &'static str)>,
}

impl Story {
    pub(super) fn of(chosen: &SelectedScenario) -> Self {
        let about = &chosen.scenario.about;
        let log = about.from_log.as_ref().filter(|log| **log != about.expect);
        let fixed = chosen.scenario.fix().map(|_| about.fixed.clone().unwrap_or_else(Expect::effective));
        Self {
            runs: chosen.history.iter().enumerate().map(|(at, happening)| run(at + 1, happening)).collect(),
            live: Ending::of(&about.expect),
            log: log.map(Ending::of),
            fixed: fixed.as_ref().map(Ending::of),
        }
    }
}

impl Ending {
    pub(super) fn of(expect: &Expect) -> Self {
        let meaning = |code: &String| code.parse::<Code>().map_or("", |code| first_sentence(code.docs().what));
        Self {
            verdict: expect.verdict.clone(),
            codes: expect.codes.iter().map(|code| (code.clone(), meaning(code))).collect(),
        }
    }

    /// Says it in one line.
    pub(super) fn line(&self) -> String {
        let codes: Vec<&str> = self.codes.iter().map(|(code, _)| code.as_str()).collect();
        if codes.is_empty() { self.verdict.clone() } else { format!("{}: {}", self.verdict, codes.join(", ")) }
    }
}

fn first_sentence(text: &'static str) -> &'static str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

fn run(number: usize, happening: &TriggerEvent) -> String {
    let event = &happening.trigger.event;
    let mut words = format!("run {number}: {event} on {}", happening.trigger.ref_name());
    let mut more = Vec::new();
    if number > 1 {
        more.push(match happening.edits.last() {
            Some(EditName::Source) => "a line of source changed".to_owned(),
            Some(EditName::Deps) => "a dependency changed".to_owned(),
            Some(EditName::None) | None => "nothing changed".to_owned(),
        });
    }
    match happening.days {
        0 => {}
        1 => more.push("a day later".to_owned()),
        days => more.push(format!("{days} days later")),
    }
    if let Some(key) = &happening.damage {
        more.push(format!("the entry `{key}…` is damaged"));
    }
    if happening.go == GoRelease::Previous {
        more.push("a floating tag stands for the Go release before".to_owned());
    }
    if !more.is_empty() {
        words = format!("{words}; {}", more.join("; "));
    }
    match &happening.expect {
        Some(expect) => format!("{words} -> {}", Ending::of(expect).line()),
        None => words,
    }
}
