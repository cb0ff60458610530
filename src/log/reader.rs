//! Reads logs piece by piece: bytes in, jobs out. [`LogReader`] is principal.
//!
//! One pass; what it remembers is bounded whatever the length of the log. It opens no file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::encoding::Encoding;
use super::job::{JobReader, LoggedJob};
use super::line::{LogLine, Transport};
use super::links::{may_have_links, without_links};
use super::wrapping::Wrapping;

/// Longest line that is looked at; the rest of a longer one is dropped.
const LINE: usize = 64 * 1024;

/// How many events are kept, over all jobs.
const EVENTS: usize = 50_000;

/// How many jobs are told apart.
const JOBS: usize = 1_000;

/// Reads one log after the other and tells their jobs apart.
#[derive(Debug)]
pub struct LogReader {
    source: Arc<str>,
    job: Option<String>,
    step: Option<String>,
    number: usize,
    encoding: Encoding,
    partial: Vec<u8>,
    transport: Transport,
    wrapping: Wrapping,
    done: Vec<LoggedJob>,
    /// The jobs under way, each with the name its lines carry.
    open: Vec<(String, JobReader)>,
    /// The job of the last line, as its place among them.
    current: Option<usize>,
    room: usize,
}

impl LogReader {
    /// Begins a log; `source` is the name its lines are quoted by.
    pub fn new(source: &str) -> Self {
        Self {
            source: Arc::from(source),
            job: None,
            step: None,
            number: 0,
            encoding: Encoding::default(),
            partial: Vec::new(),
            transport: Transport::default(),
            wrapping: Wrapping::default(),
            done: Vec::new(),
            open: Vec::new(),
            current: None,
            room: EVENTS,
        }
    }

    /// Goes on with the next file, such as one of an archive.
    ///
    /// `job` and `step` are what the file's name says of its lines: files of one job follow one another, its steps in
    /// order. Without a job's name the file is a log of its own.
    pub fn file(&mut self, source: &str, job: Option<&str>, step: Option<&str>) {
        self.file_end();
        self.source = Arc::from(source);
        self.number = 0;
        self.transport = Transport::default();
        self.wrapping = Wrapping::default();
        let same = job.is_some() && self.job.as_deref() == job;
        if !same {
            self.close();
        }
        self.job = job.map(str::to_owned);
        self.step = step.map(str::to_owned);
        self.current = if same { self.open.iter().position(|(name, _)| name.is_empty()) } else { None };
    }

    /// Takes the next bytes, cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut encoding = std::mem::take(&mut self.encoding);
        encoding.feed(bytes, &mut |text| self.text(text));
        self.encoding = encoding;
    }

    /// Takes the next bytes of UTF-8.
    fn text(&mut self, mut bytes: &[u8]) {
        if !self.partial.is_empty() {
            let Some(end) = memchr::memchr(b'\n', bytes) else { return self.keep(bytes) };
            let (head, rest) = bytes.split_at(end);
            self.keep(head);
            self.line_end();
            bytes = &rest[1..];
        }
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let (lines, rest) = bytes.split_at(whole);
        // Checking many lines at once is much faster than each alone, and nearly every piece is whole and without links.
        match std::str::from_utf8(lines) {
            Ok(text) => {
                let linked = may_have_links(text);
                let mut from = 0;
                for end in memchr::memchr_iter(b'\n', lines) {
                    self.text_line(&text[from..end], linked);
                    from = end + 1;
                }
            }
            Err(_) => lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| self.line(&line[..line.len() - 1])),
        }
        self.keep(rest);
    }

    /// Ends the last log and returns the jobs in the order in which they began.
    pub fn finish(mut self) -> Vec<LoggedJob> {
        self.file_end();
        self.close();
        let mut jobs = self.done;
        number_attempts(&mut jobs);
        jobs
    }

    /// Keeps the beginning of a line whose end has not come yet.
    fn keep(&mut self, bytes: &[u8]) {
        let room = (LINE + 1).saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn file_end(&mut self) {
        let mut encoding = std::mem::take(&mut self.encoding);
        encoding.end(&mut |text| self.text(text));
        self.line_end();
        self.wrapping.decide();
        self.released();
    }

    fn line_end(&mut self) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line);
            self.partial = line;
            self.partial.clear();
        }
    }

    fn line(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(LINE)];
        // Checking whole is much faster than repairing piece by piece, and nearly every line is whole.
        let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        self.read(&text, true);
    }

    /// Reads a line of a text that was checked; `linked` says that digits in it may have been turned into links.
    fn text_line(&mut self, text: &str, linked: bool) {
        if text.len() > LINE { self.line(text.as_bytes()) } else { self.read(text, linked) }
    }

    fn read(&mut self, text: &str, linked: bool) {
        let text = if linked { without_links(text) } else { Cow::Borrowed(text) };
        if self.wrapping.undecided() {
            self.wrapping.hold(&text);
            self.released();
        } else {
            self.unwrapped(&text);
        }
    }

    /// Reads the lines that were held back, once it is known what stands in front of them.
    fn released(&mut self) {
        while let Some(line) = self.wrapping.release() {
            self.unwrapped(&line);
        }
    }

    fn unwrapped(&mut self, text: &str) {
        self.number += 1;
        let mut transport = std::mem::take(&mut self.transport);
        self.route(transport.read(self.wrapping.strip(text)));
        self.transport = transport;
    }

    /// Hands a line to its job.
    fn route(&mut self, line: LogLine<'_>) {
        let mut at = match (line.job, self.current) {
            (None, Some(at)) => at,
            (Some(job), Some(at)) if self.open.get(at).is_some_and(|(name, _)| name == job) => at,
            (job, _) => {
                let job = job.unwrap_or("");
                let known = self.open.iter().position(|(name, _)| name == job);
                let Some(at) = known.or_else(|| self.begin(job)) else { return };
                at
            }
        };
        if self.open.get_mut(at).is_some_and(|(_, job)| job.another(&line)) {
            let (name, job) = self.open.remove(at);
            self.done.push(job.finish());
            self.current = None;
            match self.begin(&name) {
                Some(next) => at = next,
                None => return,
            }
        }
        self.current = Some(at);
        let Some((_, job)) = self.open.get_mut(at) else { return };
        job.sink.room = self.room;
        job.line(&line, line.step.or(self.step.as_deref()), &self.source, self.number);
        self.room = job.sink.room;
    }

    /// Begins a job; `None` when there are too many.
    fn begin(&mut self, name: &str) -> Option<usize> {
        if self.open.len() + self.done.len() >= JOBS {
            return None;
        }
        let shown = Some(name.to_owned()).filter(|name| !name.is_empty()).or_else(|| self.job.clone());
        self.open.push((name.to_owned(), JobReader::new(shown, &self.source)));
        Some(self.open.len() - 1)
    }

    /// Ends the jobs under way.
    fn close(&mut self) {
        self.current = None;
        self.done.extend(std::mem::take(&mut self.open).into_iter().map(|(_, job)| job.finish()));
    }
}

/// Numbers the jobs that appear more than once.
fn number_attempts(jobs: &mut [LoggedJob]) {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for job in jobs.iter() {
        *met.entry(job.title()).or_default() += 1;
    }
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for job in jobs.iter_mut() {
        let title = job.title();
        if job.name.is_some() && met.get(&title).is_some_and(|count| *count > 1) {
            let attempt = next.entry(title).or_default();
            *attempt += 1;
            job.attempt = Some(*attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_five_hundred_megabytes_costs_no_memory_and_hides_no_other() {
        let mut reader = LogReader::new("log");
        let piece = vec![b'a'; 1 << 20];
        for _ in 0..500 {
            reader.feed(&piece);
            assert!(reader.partial.capacity() <= 4 * LINE, "{} bytes are kept", reader.partial.capacity());
        }
        let step = "##[group]Run actions/cache@v4\nwith:\n  path: p\n  key: k\n##[endgroup]\nCache not found for input keys: k\n";
        reader.feed(format!("\n{step}").as_bytes());
        let jobs = reader.finish();
        assert!(jobs.iter().any(|job| !job.events.is_empty()));
    }
}
