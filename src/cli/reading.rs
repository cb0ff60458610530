//! Reading files, and on a terminal how far a large one has been read. [`ProgressReading`] is principal.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::problem::CliProblem;
use crate::source::Source;

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<Source, CliProblem> {
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(path.display().to_string(), text)),
            Err(_) => Err(CliProblem::stopped(format!("{} is not UTF-8 text", path.display()))),
        },
        Err(error) => Err(CliProblem::stopped(format!("cannot read {}: {error}", path.display()))),
    }
}

/// What is read in the blink of an eye needs no bar.
const LARGE: u64 = 64 << 20;

/// A reader that shows how far it has come, once that is worth showing.
pub(super) struct ProgressReading<R> {
    from: R,
    name: String,
    length: Option<u64>,
    read: u64,
    bar: Option<ProgressBar>,
}

impl<R> ProgressReading<R> {
    /// Watches a reader; `length` is how much it holds, where that is known.
    pub(super) fn new(from: R, name: &str, length: Option<u64>) -> Self {
        Self { from, name: name.to_owned(), length, read: 0, bar: None }
    }

    fn took(&mut self, count: u64) {
        self.read += count;
        if self.bar.is_none() && self.length.unwrap_or(self.read) >= LARGE {
            self.bar = Some(bar(&self.name, self.length));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.read);
        }
    }
}

impl<R: Read> Read for ProgressReading<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.took(count as u64);
        Ok(count)
    }
}

impl<R: Seek> Seek for ProgressReading<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.from.seek(to)
    }
}

impl<R> Drop for ProgressReading<R> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Draws nothing where standard error is no terminal.
fn bar(name: &str, length: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let template = match length {
        Some(_) => "  {msg} {wide_bar} {bytes} of {total_bytes}, {eta} left",
        None => "  {msg} {spinner} {bytes}, {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.tick_chars("-\\|/ ").progress_chars("##-"));
    }
    let name: String = name.chars().filter(|char| !char.is_control()).collect();
    let start = name.chars().count().saturating_sub(30);
    bar.set_message(format!("reading {}", name.chars().skip(start).collect::<String>()));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_counted_and_only_a_large_input_gets_a_bar() {
        let mut small = ProgressReading::new(&[7u8; 100][..], "small", Some(100));
        assert_eq!(io::copy(&mut small, &mut io::sink()).unwrap(), 100);
        assert!(small.bar.is_none());
        let mut large = ProgressReading::new(io::repeat(7).take(LARGE + 1), "large", None);
        io::copy(&mut large, &mut io::sink()).unwrap();
        assert_eq!((large.read, large.bar.as_ref().map(ProgressBar::position)), (LARGE + 1, Some(LARGE + 1)));
    }
}
