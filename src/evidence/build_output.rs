//! Reads the output of one build, vertex by vertex, into facts. [`BuildOutput`] is principal.
//!
//! Both doors use it: the live run feeds it the engine's status stream, the log parser the lines of plain progress. It
//! recognises what a Dockerfile may print about its caches and nothing else; it does not know timestamps or line
//! numbers, so whoever feeds it adds the quotes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{BuildTime, Fact, Moment, TimeSource};

/// The state of one build while its output is read.
#[derive(Debug, Default)]
pub struct BuildOutput {
    vertexes: BTreeMap<u64, Vertex>,
    marker: Option<Moment>,
    build_seen: bool,
    timed: bool,
}

/// What is known of one vertex.
#[derive(Debug)]
struct Vertex {
    name: String,
    compiles: bool,
}

/// Something a line of build output shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A size and the path it belongs to, as `du` prints them.
    Size {
        /// Bytes.
        bytes: u64,
        /// The path.
        path: String,
    },
    /// A line that says what follows was measured before or after the build.
    Marker(Moment),
    /// A downloaded module.
    Download(String),
    /// A printed duration.
    Time(Duration),
}

impl BuildOutput {
    /// Begins a build.
    pub fn new() -> Self {
        Self::default()
    }

    /// A vertex was named; naming it again changes nothing.
    pub fn vertex(&mut self, id: u64, name: &str) {
        self.vertexes.entry(id).or_insert_with(|| Vertex { name: name.to_owned(), compiles: compiles(name) });
    }

    /// One line a vertex printed.
    pub fn line(&mut self, id: u64, text: &str) -> Vec<Fact> {
        let compiles = self.vertexes.get(&id).is_some_and(|vertex| vertex.compiles);
        let mut facts = Vec::new();
        for observation in observe(text) {
            match observation {
                Observation::Marker(moment) => self.marker = Some(moment),
                Observation::Download(module) => {
                    self.build_seen = true;
                    facts.push(Fact::Download { module });
                }
                Observation::Time(took) if compiles => {
                    self.build_seen = true;
                    self.timed = true;
                    facts.push(Fact::BuildTime(BuildTime { took, source: TimeSource::Printed }));
                }
                Observation::Time(_) => {}
                Observation::Size { bytes, path } => {
                    let moment = self.marker.unwrap_or(if self.build_seen { Moment::After } else { Moment::Before });
                    facts.push(Fact::MountSize { moment, target: path, bytes });
                }
            }
        }
        facts
    }

    /// A vertex came from the layer cache.
    pub fn cached(&mut self, id: u64) -> Vec<Fact> {
        match self.vertexes.get(&id) {
            Some(vertex) if vertex.compiles => vec![Fact::BuildStepCached { vertex: vertex.name.clone() }],
            _ => Vec::new(),
        }
    }

    /// A vertex ended; `took` is the time it ran.
    pub fn done(&mut self, id: u64, took: Option<Duration>, succeeded: bool) -> Vec<Fact> {
        match self.vertexes.get(&id) {
            Some(vertex) if vertex.compiles => {
                self.build_seen = true;
                let mut facts = Vec::new();
                if let Some(took) = took.filter(|_| !self.timed && succeeded) {
                    facts.push(Fact::BuildTime(BuildTime { took, source: TimeSource::Step }));
                }
                facts.push(Fact::BuildStepEnded { took, succeeded });
                facts
            }
            _ => Vec::new(),
        }
    }
}

/// Tells whether a vertex of this name compiles Go code.
fn compiles(name: &str) -> bool {
    name.contains("RUN") && ["go build", "go install"].iter().any(|command| name.contains(command))
}

/// Says what a line shows.
fn observe(text: &str) -> Vec<Observation> {
    let line = text.trim();
    if line.contains("BEFORE") {
        return vec![Observation::Marker(Moment::Before)];
    }
    if line.contains("AFTER") {
        return vec![Observation::Marker(Moment::After)];
    }
    if let Some(module) = line.strip_prefix("go: downloading ") {
        return vec![Observation::Download(module.to_owned())];
    }
    if let Some(time) = line.strip_prefix("real").and_then(|rest| parse_duration(rest.trim())) {
        return vec![Observation::Time(time)];
    }
    if let Some((size, path)) = line.split_once(char::is_whitespace)
        && let (Some(bytes), true) = (parse_size(size), path.trim_start().starts_with('/'))
    {
        return vec![Observation::Size { bytes, path: path.trim().to_owned() }];
    }
    Vec::new()
}

/// Reads a size as `du -h` prints it (`4.0K`, `118.2M`, `1.1G`; powers of 1024) into bytes; a bare number counts KiB.
pub fn parse_size(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        'K' => 1u64 << 10,
        'M' => 1 << 20,
        'G' => 1 << 30,
        '0'..='9' => return text.parse::<u64>().ok()?.checked_mul(1024),
        _ => return None,
    };
    let number: f64 = text[..text.len() - 1].parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * unit as f64) as u64)
}

/// Reads a duration as shells print it: `0m 17.43s`, `0m17.431s`, `17.43`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (minutes, seconds) = match text.split_once('m') {
        Some((minutes, seconds)) => (minutes.trim().parse::<u64>().ok()?, seconds.trim().trim_end_matches('s')),
        None => (0, text.trim_end_matches('s')),
    };
    let seconds: f64 = seconds.trim().parse().ok()?;
    let seconds = Duration::try_from_secs_f64(seconds).ok()?;
    seconds.checked_add(Duration::from_secs(minutes.checked_mul(60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_as_tools_print_them() {
        assert_eq!(parse_size("4.0K"), Some(4096));
        assert_eq!(parse_size("118.5M"), Some((118.5 * 1048576.0) as u64));
        assert_eq!(parse_size("8"), Some(8192));
        assert_eq!(parse_size("x"), None);
        assert_eq!(parse_duration("0m 17.43s"), Some(Duration::from_millis(17_430)));
        assert_eq!(parse_duration("1m2.5s"), Some(Duration::from_millis(62_500)));
        assert_eq!(parse_duration("17.43"), Some(Duration::from_millis(17_430)));
        assert_eq!(parse_duration("soon"), None);
    }

    #[test]
    fn a_build_shows_sizes_time_and_downloads() {
        let mut output = BuildOutput::new();
        output.vertex(5, "[build 4/4] RUN --mount=type=cache,target=/go/pkg/mod go build ./...");
        assert!(output.line(5, "=== BEFORE ===").is_empty());
        assert_eq!(
            output.line(5, "4.0K\t/go/pkg/mod"),
            [Fact::MountSize { moment: Moment::Before, target: "/go/pkg/mod".into(), bytes: 4096 }]
        );
        assert_eq!(output.line(5, "go: downloading a.example/b v1.0.0").len(), 1);
        assert_eq!(output.line(5, "real\t0m 2.00s").len(), 1);
        output.line(5, "=== AFTER ===");
        assert!(matches!(output.line(5, "1.0M\t/go/pkg/mod")[..], [Fact::MountSize { moment: Moment::After, .. }]));
        assert!(matches!(output.done(5, None, true)[..], [Fact::BuildStepEnded { succeeded: true, .. }]));
    }
}
