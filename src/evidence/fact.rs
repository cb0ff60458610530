//! What can be seen of a run, as a closed enum. [`Fact`] is principal.
//!
//! A fact says what was observed, never what it means: judging is the verifier's work. Sizes are bytes.

use std::time::Duration;

use super::{GoPlace, MountSpec};
use crate::cache::Compression;

/// How the line of a simulated run begins that says what stood in for what CI runs.
pub const STAND_IN: &str = "verify-buildkit-cache: not as in CI: ";

/// A mount below so many bytes holds no cache: `du` shows 4 to 8 KB for an empty one, and the dance leaves a stamp in it.
pub const EMPTY_MOUNT: u64 = 1 << 20;

/// One thing seen in one run.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A step began. The event's step id is this step's.
    StepStarted {
        /// Main or post.
        phase: Phase,
        /// The name as the log shows it, such as `Run actions/cache@v4`.
        name: String,
        /// For a post step: the main step it belongs to, where known.
        of: Option<super::StepId>,
    },
    /// A step ended. For a step that was skipped no start is seen.
    StepEnded {
        /// How it ended.
        outcome: StepOutcome,
        /// How long it took, where known.
        took: Option<Duration>,
    },

    /// The inputs of an actions/cache step, evaluated.
    CacheInputs(CacheInputs),
    /// What the lookup answered.
    CacheLookup(Lookup),
    /// The size of the archive that was found, compressed.
    CacheSize {
        /// Bytes of the archive.
        bytes: u64,
    },
    /// The archive was unpacked into the workspace.
    CacheRestored {
        /// The key of the entry.
        key: String,
    },
    /// A hit whose download or extraction failed, or a lookup that got no answer.
    CacheRestoreFailed {
        /// The message.
        reason: String,
    },
    /// Why the lookup missed, from the store's point of view; only a live run can know.
    CacheMissCause(MissCause),
    /// The save ended: an entry was written, or not and why.
    CacheSave(SaveOutcome),
    /// The archive's size when it was saved, compressed.
    CacheSaveSize {
        /// Bytes of the archive.
        bytes: u64,
    },
    /// How actions/cache packs its archives. It is part of an entry's version, so another one finds nothing.
    CacheCompressed(Compression),

    /// The inputs of a buildkit-cache-dance step, evaluated.
    DanceInputs(DanceInputs),
    /// One entry of the cache map as the dance worked on it, in one phase.
    DanceEntry {
        /// Inject or extract.
        phase: DancePhase,
        /// The host directory, as the cache map names it; `None` where a log does not show it.
        source: Option<String>,
        /// The cache mount it copies into or out of.
        mount: MountSpec,
    },
    /// What one inject or extract moved, measured; only a live run can know.
    DanceMoved {
        /// Inject or extract.
        phase: DancePhase,
        /// The host directory.
        source: String,
        /// The cache mount.
        mount: MountSpec,
        /// What was moved, without the buildstamp.
        tally: CopyTally,
    },
    /// A copy inside the dance failed, whether or not the action noticed.
    DanceFailed {
        /// Inject or extract.
        phase: DancePhase,
        /// The message.
        reason: String,
    },
    /// The extract was skipped on demand.
    DanceExtractSkipped,
    /// The dance ended with an error of its own before or between its copies.
    DanceCrashed {
        /// The message.
        reason: String,
    },
    /// The dance was still at work when the job was stopped.
    DanceHung,
    /// The job's set-up fetched the code of a dance, as it does for every step, whether or not its `if:` lets it run.
    DanceDownloaded {
        /// The action, such as `reproducible-containers/buildkit-cache-dance@v3.3.2`.
        uses: String,
    },
    /// From here on, commands without `--builder` work on another builder than before.
    BuilderChosen {
        /// Its name, where the log says it.
        builder: Option<String>,
    },

    /// The inputs of the build step, evaluated.
    BuildInputs(BuildInputs),
    /// A build began, on this builder where known.
    BuildStarted {
        /// The builder's name.
        builder: Option<String>,
    },
    /// A cache mount of a `RUN` of the Dockerfile that was built.
    BuildMount(MountSpec),
    /// A step that compiles was named.
    CompileStep(CompileStep),
    /// A step was refused when it wrote into a cache mount.
    MountRefused {
        /// The mount's target.
        target: String,
    },
    /// A step keeps one of Go's caches here.
    GoPlace(GoPlace),
    /// A step compiles more surely than those before it, such as `go build` after a tool's `go install`: what they told of
    /// the build (its end, its time, that it came from the layer cache) is not told of this one.
    BuildStepFound {
        /// The vertex name.
        vertex: String,
    },
    /// One of several compiling steps showed what it left in a mount, and not what it found there.
    MountNotSeen {
        /// The target.
        target: String,
    },
    /// A step ran that fetches modules without a cache mount for them, so that no download of it is ever saved.
    ModulesFetched {
        /// The vertex name.
        vertex: String,
    },
    /// The step that runs `go build` came from the layer cache, so it showed nothing.
    BuildStepCached {
        /// The vertex name.
        vertex: String,
    },
    /// The size of a cache mount, as printed by the build.
    MountSize {
        /// Before or after the build.
        moment: MeasuredAt,
        /// The mount's target.
        target: String,
        /// Bytes on disk.
        bytes: u64,
    },
    /// A module was downloaded.
    Download {
        /// The module and version, as printed.
        module: String,
    },
    /// What a step that `instrument` put in found out.
    Proof(super::ProofLine),
    /// A line that begins as a proof line is none.
    ProofIgnored {
        /// Why.
        reason: String,
    },
    /// How long `go build` took.
    BuildTime(BuildTime),
    /// The build's output of the step that runs `go build` was seen to its end.
    BuildStepEnded {
        /// How long the vertex ran, where known.
        took: Option<Duration>,
        /// Whether it succeeded.
        succeeded: bool,
    },
    /// A vertex of the build ended. It is for showing where the time went; nothing is judged by it.
    VertexEnded(VertexEnd),
    /// Something that keeps a number of the build from proving what it seems to prove.
    BuildDoubt(super::BuildDoubt),
    /// The step worked for a while on something that may have been a build, without a word of it.
    HiddenWork(super::HiddenWork),
    /// A build ended.
    BuildEnded {
        /// The error, if it failed.
        error: Option<String>,
        /// How long the whole build took, where known.
        took: Option<Duration>,
    },

    /// Something that matters was not what CI runs: a step was left out, or other code stood in for a dance's own. Only a
    /// simulated run can be so, and it says it in a line that begins with [`STAND_IN`].
    StandIn {
        /// What, as a sentence without its end.
        what: String,
    },
    /// Something around the run that makes its numbers comparable with another's, or not.
    Surroundings {
        /// What it is about.
        aspect: Aspect,
        /// What it was in this run.
        value: String,
    },
    /// A cache mount as the engine has it after the job; only a live run can know.
    MountRecord(MountRecord),
    /// Lines that look like those of a cache, a dance or a build, and that no reader could place; the quote is the first.
    LinesUnplaced(UnplacedLines),
    /// The source of events ended before the job did (a log cut off, a run interrupted).
    Truncated,
}

/// Lines of a log that nothing could be made of, though they look like those that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnplacedLines {
    /// What they look like.
    pub sort: LineSort,
    /// How many there are.
    pub count: usize,
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineSort {
    /// A line of actions/cache.
    Cache,
    /// A line of a dance.
    Dance,
    /// A line of a build's progress, or a `RUN` with a cache mount.
    Build,
}

/// What two runs should have in common before their numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// The branch, tag or pull request that was checked out.
    Ref,
    /// The image of the runner, such as `ubuntu-24.04`.
    RunnerImage,
    /// The image that Go comes from, such as `golang:1.25-alpine`, with its digest where that is known.
    GoImage,
    /// What `go version` printed.
    GoVersion,
    /// The command of a step that compiles, as its vertex is named.
    CompileStep,
    /// The runner was not fresh by design: its builders are those of the machine, as with act; the value is who ran it.
    SharedEngine,
    /// The build printed its progress for a terminal, which drops what its steps print; the value is the line.
    TerminalProgress,
    /// The run had not saved yet when a later one looked up its key; the value names that one.
    SavedTooLate,
}

/// Whether a step is one of the job's steps or the clean-up of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A step of the job.
    Main,
    /// Its post step, after all main steps, in reverse order.
    Post,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepOutcome {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// Its condition was false.
    Skipped,
    /// The tool does not reproduce this action; it did nothing.
    NotReproduced,
}

/// Which of the three actions a cache step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheMode {
    /// `actions/cache`: restores in main, saves in post.
    RestoreAndSave,
    /// `actions/cache/restore`.
    Restore,
    /// `actions/cache/save`.
    Save,
}

/// The evaluated inputs of an actions/cache step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheInputs {
    /// Which action.
    pub mode: CacheMode,
    /// The paths, as given, one by one.
    pub paths: Vec<String>,
    /// The primary key.
    pub key: String,
    /// The restore keys, in order.
    pub restore_keys: Vec<String>,
}

/// A step of a build that compiles, as its name shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileStep {
    /// How surely it compiles; the surest steps of a build are the ones that do.
    pub sure: u8,
    /// The stage it belongs to, as its vertex is named: `build` of `[build 4/4]`.
    pub stage: Option<String>,
    /// Its cache mounts.
    pub mounts: Vec<MountSpec>,
}

/// What a lookup answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The primary key itself was found.
    Exact {
        /// The key.
        key: String,
    },
    /// Another key was found by prefix.
    Partial {
        /// The key of the entry.
        key: String,
    },
    /// A hit, but the wording cannot tell an exact from a partial one.
    Hit {
        /// The key as printed.
        key: String,
    },
    /// Nothing was found.
    Miss,
    /// Only looked up, not restored.
    LookupOnly {
        /// The key of the entry.
        key: String,
    },
}

/// Why a lookup missed, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissCause {
    /// Nothing was ever saved that the keys could match.
    NeverSaved,
    /// A matching entry exists for other paths or another compression.
    OtherVersion {
        /// Its key.
        key: String,
    },
    /// A matching entry exists in a scope this run cannot read.
    OutOfScope {
        /// Its key.
        key: String,
        /// Its scope, a ref.
        scope: String,
    },
    /// A matching entry was there and has been evicted.
    Evicted {
        /// Its key.
        key: String,
    },
}

/// How a save ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveOutcome {
    /// An entry was written.
    Saved {
        /// Its key.
        key: String,
    },
    /// No entry was written.
    NotSaved(NotSaved),
}

/// Why no entry was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSaved {
    /// The restore hit the primary key, and entries never change.
    PrimaryHit {
        /// The key.
        key: String,
    },
    /// An entry of that key exists already.
    AlreadyExists {
        /// The key.
        key: String,
    },
    /// None of the paths exists.
    PathMissing,
    /// The token or the cache mode permits no writing.
    ReadOnly {
        /// The message.
        reason: String,
    },
    /// Anything else that stopped it.
    Failed {
        /// The message.
        reason: String,
    },
}

/// The evaluated inputs of a buildkit-cache-dance step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DanceInputs {
    /// The action as the workflow names it, such as `reproducible-containers/buildkit-cache-dance@v3.3.2`.
    pub uses: String,
    /// The `cache-map` input as given; `None` when it is not given.
    pub cache_map: Option<String>,
    /// The `cache-dir` input.
    pub cache_dir: Option<String>,
    /// The `skip-extraction` input as given.
    pub skip_extraction: Option<String>,
    /// The builder the dance works on, where known: the input, or the version's default.
    pub builder: Option<String>,
    /// The version behaves as its own code says; false where an unknown fork was simulated as upstream.
    pub known: bool,
}

/// The two halves of the dance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DancePhase {
    /// Host directory into cache mount.
    Inject,
    /// Cache mount into host directory.
    Extract,
}

/// Counts of what a copy moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CopyTally {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl CopyTally {
    /// The most bytes that the mark of a proof step may have.
    const MARK: u64 = 512;

    /// Tells whether nothing was moved, or nothing but the mark that a proof step left.
    pub fn is_nothing(&self) -> bool {
        self.files == 0 || (self.files == 1 && self.bytes <= Self::MARK)
    }
}

/// The evaluated inputs of the build step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildInputs {
    /// Whether `no-cache` is on.
    pub no_cache: bool,
    /// The stages of `no-cache-filters`, which are built as with `no-cache`.
    pub no_cache_filters: Vec<String>,
    /// The `builder` input.
    pub builder: Option<String>,
    /// The `cache-from` input, if any.
    pub cache_from: Option<String>,
    /// The `file` input, or the default.
    pub file: String,
}

/// When a mount was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeasuredAt {
    /// Before `go build`.
    Before,
    /// After it.
    After,
}

/// How one vertex of a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VertexEnd {
    /// Its name, such as `[build 4/6] RUN go build ./...`.
    pub name: String,
    /// How long it ran, where known.
    pub took: Option<Duration>,
    /// How it ended.
    pub outcome: VertexOutcome,
}

/// What became of a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VertexOutcome {
    /// It ran and succeeded.
    Done,
    /// It came from the layer cache.
    Cached,
    /// It failed or was cancelled.
    Failed,
}

/// How long `go build` took, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BuildTime {
    /// The time.
    pub took: Duration,
    /// Who timed it.
    pub source: TimeSource,
}

/// Who timed `go build`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeSource {
    /// The build itself printed it (`time`, or a line such as `go build seconds=42`).
    Printed,
    /// Nothing timed it, so the time of its whole step stands in.
    Step,
}

/// A cache mount as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRecord {
    /// The builder it belongs to.
    pub builder: String,
    /// The target the creating step mounted it at.
    pub target: String,
    /// Who created it.
    pub creator: Creator,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Which step first created a cache mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Creator {
    /// The dance's inject.
    Inject,
    /// The dance's extract.
    Extract,
    /// The build.
    Build,
}
