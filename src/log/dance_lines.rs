//! The lines of buildkit-cache-dance, v1 to v3.4 and its forks. [`DanceLines`] is principal.
//!
//! Wordings follow upstream v3.3.2 (`src/opts.ts`, `src/inject-cache.ts`, `src/extract-cache.ts`, `src/run.ts`) and the
//! forks of hiromaily and sstepanchuk. A healthy dance prints little more than the text of its Dancefiles. One that fails
//! prints its message and a stack, and no `##[error]`, which only scripts get.

use super::inputs::cache_map;
use crate::dance::{OF_THE_MAP, ends_a_copy};
use crate::evidence::{DancePhase, Fact, MountSpec, run_mounts};

/// How much of a Dancefile's `RUN` is kept.
const RUN: usize = 16 * 1024;

/// Reads one step's lines.
#[derive(Debug)]
pub(super) struct DanceLines {
    /// The phase of the step; a Dancefile that says otherwise wins.
    phase: DancePhase,
    /// The cache map's entries, where known, each with how often it was met in each phase.
    entries: Vec<(String, MountSpec, [usize; 2])>,
    /// A `RUN` that goes on in the next line.
    run: Option<String>,
    /// A line showed that the step is a dance's: its path or its files.
    shown: bool,
    /// The error that ended the action: what follows is its story.
    ended: Option<String>,
    /// The message of a command that failed has been told.
    told: bool,
    /// An error that nothing shows to be the dance's, until its stack does.
    thrown: Option<String>,
}

impl DanceLines {
    /// Begins a step. `map` is the cache map as given.
    pub(super) fn new(phase: DancePhase, map: Option<&str>) -> Self {
        let mut lines =
            Self { phase, entries: Vec::new(), run: None, shown: false, ended: None, told: false, thrown: None };
        lines.learn(map.unwrap_or(""));
        lines
    }

    fn learn(&mut self, map: &str) {
        if self.entries.is_empty() {
            self.entries = cache_map(map).into_iter().map(|(source, mount)| (source, mount, [0, 0])).collect();
        }
    }

    /// Reads a line without its tag. `known` says that the step is known to be a dance: then its errors are the dance's,
    /// and otherwise only what nothing else prints is taken.
    pub(super) fn line(&mut self, text: &str, error: bool, known: bool) -> Vec<Fact> {
        let text = text.trim();
        if let Some(mut run) = self.run.take() {
            run.push(' ');
            run.push_str(text.trim_end_matches('\\').trim_end());
            if text.ends_with('\\') && run.len() < RUN {
                self.run = Some(run);
                return Vec::new();
            }
            return self.dancefile(&run);
        }
        let text = text.strip_prefix("[DEBUG] ").unwrap_or(text);
        // An error without a stack, as node prints what `fs` throws.
        let text = text.strip_prefix('[').filter(|error| error.starts_with("Error: ")).unwrap_or(text);
        if text.starts_with("RUN --mount=") && text.contains("type=cache") && text.len() < RUN {
            if let Some(head) = text.strip_suffix('\\') {
                self.run = Some(head.trim_end().to_owned());
                return Vec::new();
            }
            return self.dancefile(text);
        }
        if let Some(map) = text.strip_prefix("Cache map parsed from Dockerfile: ") {
            self.learn(map);
        }
        if let Some(dir) = text.strip_prefix("cache-dir applied: cache paths will be under \"") {
            self.move_below(dir.trim_end_matches('"').trim_end_matches('/'));
        }
        if text.starts_with("skip-extraction is set. Skipping extraction step") {
            return vec![Fact::DanceExtractSkipped];
        }
        if let Some(fact) = self.batch_line(text) {
            return vec![fact];
        }
        self.failure(text, error, known).into_iter().collect()
    }

    /// Puts the entries below a directory under the last part of their names, where a later one replaces an earlier.
    fn move_below(&mut self, dir: &str) {
        let mut moved: Vec<(String, MountSpec, [usize; 2])> = Vec::new();
        for (source, mount, met) in std::mem::take(&mut self.entries) {
            let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let source = format!("{dir}/{name}");
            match moved.iter_mut().find(|(known, ..)| *known == source) {
                Some(known) => *known = (source, mount, met),
                None => moved.push((source, mount, met)),
            }
        }
        self.entries = moved;
    }

    /// Reads the `RUN` of a Dancefile.
    fn dancefile(&mut self, run: &str) -> Vec<Fact> {
        if !run.contains("dance-cache") {
            return Vec::new();
        }
        let phase = match (run.contains("type=bind"), run.contains("mkdir -p /var/dance-cache")) {
            (true, _) => DancePhase::Inject,
            (false, true) => DancePhase::Extract,
            (false, false) => self.phase,
        };
        self.phase = phase;
        let mounts = run_mounts(run);
        let mut facts: Vec<Fact> = mounts.into_iter().filter_map(|mount| self.entry(phase, mount)).collect();
        if phase == DancePhase::Inject && !facts.is_empty() && read_only(run) {
            // The copy must fail, and `|| true` keeps that out of the log.
            let reason = "the dance mounts the cache read-only".to_owned();
            facts.push(Fact::DanceFailed { phase, reason });
        }
        facts
    }

    /// One entry at work. A Dancefile shows no host directory; the map's next entry of that mount does.
    fn entry(&mut self, phase: DancePhase, mount: MountSpec) -> Option<Fact> {
        let at = phase as usize;
        // The map's `mode` never reaches an owner the Dancefile lacks, so whole specs are compared.
        let alike = self.entries.iter_mut().filter(|(_, known, _)| *known == mount);
        let next = alike.min_by_key(|(_, _, met)| met[at]);
        let source = match next {
            // Debug output repeats Dancefiles.
            Some((_, _, met)) if met[at] > 0 => return None,
            Some((source, _, met)) => {
                met[at] += 1;
                Some(source.clone())
            }
            None => None,
        };
        Some(Fact::DanceEntry { phase, source, mount })
    }

    /// The lines of the fork that works in batches and shows no Dancefile.
    fn batch_line(&mut self, text: &str) -> Option<Fact> {
        let (rest, phase) = [
            ("Running docker buildx to inject cache for '", DancePhase::Inject),
            ("Cache extraction completed for source '", DancePhase::Extract),
        ]
        .iter()
        .find_map(|(start, phase)| Some((text.strip_prefix(start)?, *phase)))?;
        let source = rest.trim_end_matches('.').strip_suffix('\'')?;
        let (_, mount, _) = self.entries.iter().find(|(known, _, met)| known == source && met[phase as usize] == 0)?;
        let mount = mount.clone();
        self.entry(phase, mount)
    }

    fn failure(&mut self, text: &str, error: bool, known: bool) -> Option<Fact> {
        self.shown |= names_the_dance(text);
        if let Some(ended) = &self.ended {
            // Of a command that failed only its name stood in the first line.
            let says = text.starts_with("ERROR: ") && !self.told && text != ended;
            self.told |= says;
            return says.then(|| self.broken(text.to_owned()));
        }
        let bare = text.strip_prefix("Error: ").unwrap_or(text);
        let known = known || self.shown;
        let ends = OF_THE_MAP.iter().any(|start| bare.starts_with(start))
            || text.starts_with("Error running command: ") && (known || text.contains("ancefile"))
            || known && (error || text.starts_with("Error: "))
            || known && (text.starts_with("ERROR: ") || bare.starts_with("Refusing to delete"));
        if ends {
            return Some(self.ends(text.to_owned()));
        }
        if text.starts_with("Error: ") {
            self.thrown = Some(text.to_owned());
        } else if text.starts_with("at ")
            && text.contains("cache-dance/")
            && let Some(thrown) = self.thrown.take()
        {
            return Some(self.ends(thrown));
        }
        let says = text.split_once(' ').filter(|(number, _)| number.starts_with('#')).map_or(text, |(_, rest)| rest);
        let says = says.trim_start_matches(|char: char| char.is_ascii_digit() || char == '.' || char == ' ');
        (known && refuses(says)).then(|| self.broken(text.to_owned()))
    }

    /// The action ends with this error.
    fn ends(&mut self, thrown: String) -> Fact {
        self.told = !thrown.starts_with("Error running command: ");
        if thrown.contains("Dancefile.extract") {
            self.phase = DancePhase::Extract;
        }
        let copy = ends_a_copy(&thrown, self.phase == DancePhase::Extract);
        self.ended = Some(thrown.clone());
        if copy { self.broken(thrown) } else { Fact::DanceCrashed { reason: thrown } }
    }

    fn broken(&self, reason: String) -> Fact {
        Fact::DanceFailed { phase: self.phase, reason }
    }

    /// Tells whether the last line goes on in the next.
    pub(super) fn goes_on(&self) -> bool {
        self.run.is_some()
    }

    /// Tells whether an error has ended the action.
    pub(super) fn ended(&self) -> bool {
        self.ended.is_some()
    }

    /// The phase the lines last showed.
    pub(super) fn phase(&self) -> DancePhase {
        self.phase
    }
}

/// Tells whether a line names the dance's code or the files that only it has.
fn names_the_dance(text: &str) -> bool {
    ["cache-dance/", "/buildstamp", "Dancefile.", "dance-cache", "cache-container"]
        .iter()
        .any(|part| text.contains(part))
}

/// Tells whether a tool that copies says that it did not. That it kept no time or owner takes nothing away.
fn refuses(said: &str) -> bool {
    const TOOLS: [&str; 9] = [
        "cp: ",
        "rsync: ",
        "tar: ",
        "tee: ",
        "mv: ",
        "mkdir: ",
        "chown: ",
        "/bin/sh: rsync: not found",
        "sh: rsync: not found",
    ];
    const HARMLESS: [&str; 5] =
        ["Removing leading", "preserv", "time stamp", "implausibly old", "file changed as we read"];
    TOOLS.iter().any(|tool| said.starts_with(tool)) && !HARMLESS.iter().any(|word| said.contains(word))
}

/// Tells whether a Dancefile mounts its cache read-only.
fn read_only(run: &str) -> bool {
    let mut words = run.split_whitespace().filter_map(|word| word.strip_prefix("--mount="));
    words.any(|mount| {
        let mut fields = mount.split(',').map(|field| field.split_once('=').unwrap_or((field, "true")));
        let on = |value: &str| matches!(value.trim_matches(['"', '\'']), "true" | "1");
        fields.clone().any(|field| field == ("type", "cache"))
            && fields.any(|(name, value)| matches!(name, "ro" | "readonly") && on(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{"go-mod":{"target":"/go/pkg/mod","id":"go-mod"},"go-build":"/root/.cache/go-build"}"#;

    fn read(map: Option<&str>, known: bool, log: &str) -> Vec<Fact> {
        let mut lines = DanceLines::new(DancePhase::Inject, map);
        log.lines().flat_map(|line| lines.line(line, line.starts_with("##[error]"), known)).collect()
    }

    fn entry(phase: DancePhase, source: Option<&str>, target: &str, id: Option<&str>) -> Fact {
        let mount = MountSpec { target: target.into(), id: id.map(Into::into), owner: String::new() };
        Fact::DanceEntry { phase, source: source.map(Into::into), mount }
    }

    #[test]
    fn dancefiles_of_one_line_show_phase_mount_and_source() {
        let log = "FROM ghcr.io/containerd/busybox:latest\nCOPY buildstamp buildstamp\n\
            RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod     --mount=type=bind,source=.,target=/var/dance-cache     cp -p -R /var/dance-cache/. /go/pkg/mod  || true\n\
            RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod     mkdir -p /var/dance-cache/     && cp -p -R /go/pkg/mod/. /var/dance-cache/ || true\n\
            RUN --mount=type=cache,target=/x     mkdir -p /var/dance-cache/     && cp -p -R /x/. /var/dance-cache/ || true";
        assert_eq!(
            read(Some(MAP), false, log),
            [
                entry(DancePhase::Inject, Some("go-mod"), "/go/pkg/mod", Some("go-mod")),
                entry(DancePhase::Extract, Some("go-mod"), "/go/pkg/mod", Some("go-mod")),
                entry(DancePhase::Extract, None, "/x", None),
            ]
        );
    }

    #[test]
    fn dancefiles_of_many_lines_are_joined() {
        let log = "RUN --mount=type=cache,target=\"/root/.cache/go-build\" \\\n    --mount=type=bind,source=.,target=/var/dance-cache \\\n    cp -p -R /var/dance-cache/. \"/root/.cache/go-build\" || true";
        assert_eq!(
            read(Some(MAP), false, log),
            [entry(DancePhase::Inject, Some("go-build"), "/root/.cache/go-build", None)]
        );
    }

    #[test]
    fn a_run_of_another_dockerfile_is_no_dance() {
        assert!(read(None, false, "RUN --mount=type=cache,target=/go/pkg/mod go build").is_empty());
    }

    #[test]
    fn a_map_found_in_the_dockerfile_names_the_sources() {
        let log = "Cache map parsed from Dockerfile: {\"c/go\":{\"id\":\"go\",\"target\":\"/var/cache-target\"}}\n\
                   RUN --mount=type=cache,id=go,target=/var/cache-target mkdir -p /var/dance-cache/ && true";
        assert_eq!(read(None, true, log), [entry(DancePhase::Extract, Some("c/go"), "/var/cache-target", Some("go"))]);
    }

    #[test]
    fn a_command_that_failed_is_told_with_its_message_and_a_notice_is_none() {
        let log = "Error while cleaning cache source directory: Error: EACCES. Ignoring...\n\
                   Error running command: docker buildx build -f scratch/Dancefile.inject\nERROR: no builder \"nope\" found\nERROR: again";
        let facts = read(None, true, log);
        assert!(
            matches!(&facts[0], Fact::DanceFailed { phase: DancePhase::Inject, reason } if reason.contains("Dancefile.inject"))
        );
        assert!(matches!(&facts[1], Fact::DanceFailed { reason, .. } if reason.contains("no builder")));
        assert_eq!(facts.len(), 2);
        assert!(read(None, false, "Error: process exited with code 1").is_empty());
    }

    #[test]
    fn an_error_that_is_no_copy_is_a_crash_told_once() {
        let map = "Error: Failed to parse cache map. Expected JSON, got:\n{\nSyntaxError: x\nError: Failed to parse cache map.";
        assert!(matches!(read(None, false, map)[..], [Fact::DanceCrashed { .. }]));
        let cleared = "Error: EACCES: permission denied, rmdir 'go-mod/a'";
        assert!(matches!(read(None, true, cleared)[..], [Fact::DanceCrashed { .. }]));
    }

    #[test]
    fn a_post_step_that_nothing_names_is_known_by_its_files_or_its_stack() {
        let post = |log: &str| {
            let mut lines = DanceLines::new(DancePhase::Extract, None);
            log.lines().flat_map(|line| lines.line(line, false, false)).collect::<Vec<Fact>>()
        };
        let failed = |facts: Vec<Fact>, part: &str| match &facts[..] {
            [Fact::DanceFailed { phase: DancePhase::Extract, reason }, ..] => reason.contains(part),
            _ => false,
        };
        assert!(failed(post("Error: ENOENT: no such file or directory, open 'tmp/buildstamp'"), "ENOENT"));
        assert!(failed(post("+ tee tmp/buildstamp\ntee: tmp/buildstamp: No such file or directory"), "No such file"));
        let stack = "Error: spawn sudo ENOENT\n    at ChildProcess._handle.onexit (node:internal/child_process:285:19)\n    \
                     at run (file:///w/_actions/a/buildkit-cache-dance/v3/dist/index.js:1:2)";
        assert!(failed(post(stack), "sudo"));
        assert!(post("Error: ENOENT: no such file or directory, open 'x'\n    at open (node:fs)").is_empty());
    }

    #[test]
    fn a_tool_that_keeps_no_time_or_owner_has_copied() {
        for harmless in [
            "cp: preserving times for '/go/x': Operation not permitted",
            "cp: can't preserve ownership of '/go/x': Operation not permitted",
            "tar: m/x: time stamp 2026-01-01 is 3.2 s in the future",
        ] {
            assert!(read(None, true, harmless).is_empty(), "{harmless}");
        }
    }

    #[test]
    fn a_copy_that_failed_in_sight_is_told() {
        let facts = read(None, true, "#8 0.531 cp: can't create '/go/x': No space left on device");
        assert!(matches!(facts[..], [Fact::DanceFailed { phase: DancePhase::Inject, .. }]));
    }

    #[test]
    fn an_exception_on_the_way_out_is_a_failed_extract() {
        let dancefile = "RUN --mount=type=cache,target=/x     mkdir -p /var/dance-cache/     && cp -p -R /x/. /var/dance-cache/ || true\n";
        for thrown in [
            "Error: EXDEV: cross-device link not permitted, rename 'scratch/dance-cache' -> 'x'",
            "Error: process exited with code 2",
        ] {
            let facts = read(None, true, &format!("{dancefile}{thrown}\n{thrown}"));
            assert!(matches!(facts[1..], [Fact::DanceFailed { phase: DancePhase::Extract, .. }]), "{facts:?}");
        }
    }

    #[test]
    fn a_cache_mounted_read_only_takes_no_copy() {
        let log = "RUN --mount=type=cache,target=/x,ro=true     --mount=type=bind,source=.,target=/var/dance-cache     cp -p -R /var/dance-cache/. /x  || true";
        let facts = read(None, true, log);
        assert!(matches!(facts[..], [Fact::DanceEntry { .. }, Fact::DanceFailed { phase: DancePhase::Inject, .. }]));
        assert_eq!(read(None, true, &log.replace("ro=true", "ro=false")).len(), 1);
    }

    #[test]
    fn a_fork_that_keeps_base_names_lets_one_entry_replace_another() {
        let map = r#"{"mod/go":"/go/pkg/mod","build/go":"/root/.cache/go-build"}"#;
        let log = "cache-dir applied: cache paths will be under \".cache/\"\n\
            RUN --mount=type=cache,target=/root/.cache/go-build mkdir -p /var/dance-cache/ && true";
        assert_eq!(
            read(Some(map), true, log),
            [entry(DancePhase::Extract, Some(".cache/go"), "/root/.cache/go-build", None)]
        );
    }

    #[test]
    fn the_batch_forks_lines_stand_for_entries() {
        let log =
            "Running docker buildx to inject cache for 'go-mod'.\nCache extraction completed for source 'go-build'.";
        assert_eq!(
            read(Some(MAP), true, log),
            [
                entry(DancePhase::Inject, Some("go-mod"), "/go/pkg/mod", Some("go-mod")),
                entry(DancePhase::Extract, Some("go-build"), "/root/.cache/go-build", None),
            ]
        );
    }
}
