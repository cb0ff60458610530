//! When the next line of a replay is shown. [`Pace`] is principal.
//!
//! On a terminal it waits, and any key goes on; elsewhere it never does, and a log of it reads like one of a pipe.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use terminal_size::terminal_size_of;

use crate::cli::out;
use crate::report::{self, ReplayWait};

/// How long a line is looked at, at speed 1.
const LINE: Duration = Duration::from_millis(220);

/// The longest wait for a recorded build, at speed 1: long enough to feel that it is cold.
const BUILD: Duration = Duration::from_secs(8);

/// Shows lines one after the other.
pub(super) struct Pace {
    /// How many times as fast; `None` where nothing waits.
    speed: Option<f64>,
    pauses: bool,
    /// A key was pressed: nothing waits until the next pause.
    hurried: bool,
    width: Option<usize>,
}

/// Why a replay ends before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enough {
    /// Somebody has seen enough.
    Seen,
    /// Ctrl-C.
    Interrupted,
}

impl Pace {
    /// Waits where both ends are a terminal.
    pub(super) fn new(speed: f64, no_pause: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let both = terminal && io::stdin().is_terminal();
        let width = terminal.then(|| terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))).flatten();
        Self { speed: both.then_some(speed), pauses: both && !no_pause, hurried: false, width }
    }

    /// How wide a line may be; `None` cuts nothing.
    pub(super) fn width(&self) -> Option<usize> {
        self.width.map(|width| width.max(40))
    }

    /// Shows words that need no waiting.
    pub(super) fn say(&self, text: &str) {
        out(&format!("{}\n", text.trim_end_matches('\n')));
    }

    /// Waits, then shows a line. A pause shows what to do, and takes it away again.
    pub(super) fn line(&mut self, text: &str, wait: ReplayWait) -> Result<(), Enough> {
        match wait {
            ReplayWait::None => {}
            ReplayWait::Line => self.wait(LINE)?,
            ReplayWait::Build(took) => self.wait(took.min(BUILD))?,
            ReplayWait::Key => self.pause()?,
        }
        self.say(text);
        Ok(())
    }

    fn wait(&mut self, time: Duration) -> Result<(), Enough> {
        let Some(speed) = self.speed.filter(|_| !self.hurried) else { return Ok(()) };
        self.hurried = key_within(Some(time.div_f64(speed))).enough()?;
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Enough> {
        self.hurried = false;
        if !self.pauses {
            return self.wait(LINE * 6);
        }
        let hint = "          [any key goes on, q ends]";
        out(&report::dimmed(hint, true));
        // A line without an end is held back otherwise.
        let _ = io::stdout().flush();
        let key = key_within(None);
        out(&format!("\r{}\r", " ".repeat(hint.len())));
        key.enough().map(|_| ())
    }
}

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keystroke {
    None,
    Any,
    Stop,
    Interrupt,
}

impl Keystroke {
    /// Tells whether a key says to go on, or that it is enough.
    fn enough(self) -> Result<bool, Enough> {
        match self {
            Self::None => Ok(false),
            Self::Any => Ok(true),
            Self::Stop => Err(Enough::Seen),
            Self::Interrupt => Err(Enough::Interrupted),
        }
    }
}

/// Waits for a key, for so long or for ever. The terminal hands out single keys only meanwhile.
fn key_within(time: Option<Duration>) -> Keystroke {
    if enable_raw_mode().is_err() {
        // A terminal that cannot is none to wait at.
        std::thread::sleep(time.unwrap_or_default());
        return Keystroke::None;
    }
    let key = pressed(time.map(|time| Instant::now() + time));
    // What fails here has failed above already.
    let _ = disable_raw_mode();
    key
}

fn pressed(until: Option<Instant>) -> Keystroke {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match poll(left.unwrap_or(Duration::from_secs(3_600))) {
            Ok(false) if left.is_some() => return Keystroke::None,
            Ok(false) => {}
            Ok(true) => match read() {
                Ok(Event::Key(key)) if key.kind == KeyEventKind::Press => {
                    return meaning(key.code, key.modifiers);
                }
                Ok(_) => {}
                Err(_) => return Keystroke::None,
            },
            Err(_) => return Keystroke::None,
        }
    }
}

/// In raw mode Ctrl-C is a key like others.
fn meaning(code: KeyCode, modifiers: KeyModifiers) -> Keystroke {
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Keystroke::Interrupt,
        KeyCode::Char('d') if modifiers.contains(KeyModifiers::CONTROL) => Keystroke::Stop,
        KeyCode::Char('q') | KeyCode::Esc => Keystroke::Stop,
        _ => Keystroke::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_goes_on_and_a_few_end_it() {
        let none = KeyModifiers::NONE;
        assert_eq!(meaning(KeyCode::Enter, none), Keystroke::Any);
        assert_eq!(meaning(KeyCode::Char('c'), none), Keystroke::Any);
        assert_eq!(meaning(KeyCode::Char('c'), KeyModifiers::CONTROL), Keystroke::Interrupt);
        assert_eq!(meaning(KeyCode::Char('q'), none), Keystroke::Stop);
        assert_eq!(meaning(KeyCode::Esc, none), Keystroke::Stop);
    }

    #[test]
    fn where_there_is_no_terminal_nothing_waits() {
        // The tests have no terminal to read from.
        let mut pace = Pace { speed: None, pauses: false, hurried: false, width: None };
        let began = Instant::now();
        assert_eq!(pace.line("", ReplayWait::Build(Duration::from_secs(30))), Ok(()));
        assert_eq!(pace.line("", ReplayWait::Key), Ok(()));
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
