//! What the program prints, and how much it talks. [`say`] and [`out`] are principal.
//!
//! How loud it is, is set once, from the arguments, before anything is said.

use std::io::Write;
use std::sync::OnceLock;

/// How much the program says on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loudness {
    /// Errors alone.
    Quiet,
    /// What happens, too.
    Usual,
}

static LOUDNESS: OnceLock<Loudness> = OnceLock::new();

/// Decides how much is said, for as long as the program runs.
pub(super) fn set_loudness(loudness: Loudness) {
    // Only the first setting counts, and there is only one.
    let _ = LOUDNESS.set(loudness);
}

/// Tells whether only errors are to be said.
pub(super) fn is_quiet() -> bool {
    LOUDNESS.get() == Some(&Loudness::Quiet)
}

/// Writes data to standard output; a reader that went away is no reason to complain.
pub(super) fn out(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// Writes a line of talk to standard error.
pub(super) fn say(text: &str) {
    if !is_quiet() {
        complain(text);
    }
}

/// Writes a line to standard error whatever the loudness: what went wrong.
pub(super) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
