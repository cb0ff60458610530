//! Proof lines: what a step that `instrument` put in found out, one line each. [`ProofLine`] is principal.
//!
//! The format is that of `docs/proof-lines.md`. A line is read strictly: the version, every key in its place, and nothing
//! else. `unknown` is what the step could not find out, `none` is what it found to be absent.

use std::time::{Duration, SystemTime};

use crate::dockerfile::{PROOF_VERSION, PROOF_WORD};

/// One proof line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofLine {
    /// About the step itself.
    Step(StepProof),
    /// About one of its cache mounts.
    Mount(MountProof),
}

/// What a step says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepProof {
    /// Whether it stands after the build.
    pub after: bool,
    /// The time, in whole seconds.
    pub at: Option<SystemTime>,
    /// How long the machine has been up.
    pub up: Option<Duration>,
    /// The number of the user who runs it.
    pub user: Option<u32>,
    /// The number of its group.
    pub group: Option<u32>,
    /// GOMODCACHE, as `go env` says in that step.
    pub modules: Option<String>,
    /// GOCACHE, as `go env` says in that step.
    pub objects: Option<String>,
}

/// What a step says of a cache mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountProof {
    /// Whether it was seen after the build.
    pub after: bool,
    /// The target.
    pub target: String,
    /// Bytes on disk, in whole KiB.
    pub bytes: Option<u64>,
    /// Regular files, without the mark and the stamp.
    pub files: Option<u64>,
    /// Whether the step could write into it; it tried.
    pub writable: Option<bool>,
    /// The stamp of the inject that filled it.
    pub stamp: Told<Stamp>,
    /// Before the build: the mark that was found. After it: the mark that was left.
    pub mark: Told<Mark>,
}

/// What a line says where there may be nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<T> {
    /// The step could not find out.
    Unknown,
    /// There is none.
    Absent,
    /// It is this.
    Is(T),
}

impl<T> Told<T> {
    /// Returns what it is, if it is anything.
    pub fn is(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unknown | Self::Absent => None,
        }
    }
}

/// The file `buildstamp` that inject puts into what it copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Its text, as printed.
    pub text: String,
    /// The time of the inject: what the text says, or else the time of the file.
    pub at: Option<SystemTime>,
}

/// The file that a step leaves in a mount after a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its random id.
    pub id: String,
    /// The run that left it, where that run was named.
    pub run: Option<String>,
    /// When it was left.
    pub at: Option<SystemTime>,
    /// The bytes that the mount then held.
    pub bytes: Option<u64>,
    /// The files that the mount then held.
    pub files: Option<u64>,
    /// The target of the mount in which it was left.
    pub target: Option<String>,
}

/// Why a line that begins as a proof line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Another version wrote it.
    #[error("a proof line of version `{0}`, which this program does not read")]
    Version(String),
    /// It is not as this version writes it.
    #[error("a malformed proof line: {0}")]
    Malformed(String),
    /// The step that printed it is none that `instrument` wrote.
    #[error("a proof line that was printed by another step than one of `instrument`")]
    NotOurStep,
    /// It was printed at another time than it says.
    #[error("a proof line that says it was printed {0} away from when it was: it is an older line")]
    OtherTime(String),
}

/// The keys of each kind of line, in their order.
const STEP: [&str; 6] = ["at", "up", "user", "group", "gomodcache", "gocache"];
const BEFORE: [&str; 12] = [
    "mount",
    "kib",
    "files",
    "write",
    "stamp",
    "stamped",
    "mark",
    "mark-run",
    "mark-at",
    "mark-kib",
    "mark-files",
    "mark-mount",
];
const AFTER: [&str; 8] = ["mount", "kib", "files", "write", "stamp", "stamped", "mark", "mark-run"];

impl ProofLine {
    /// Tells quickly whether a line begins as a proof line does.
    pub(super) fn begins(text: &str) -> bool {
        text.strip_prefix(PROOF_WORD).is_some_and(|rest| rest.starts_with(' '))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// It is of another version, or anything is missing, too much or unreadable.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let malformed = |what: &str| ProofError::Malformed(what.to_owned());
        let text = text.trim_end();
        if text.chars().any(char::is_control) {
            return Err(malformed("it has a control character"));
        }
        let words: Vec<&str> = text.split(' ').collect();
        let [PROOF_WORD, version, moment, rest @ ..] = words.as_slice() else {
            return Err(malformed("it does not say what it is about"));
        };
        if *version != PROOF_VERSION {
            return Err(ProofError::Version(version.chars().take(20).collect()));
        }
        let after = match *moment {
            "before" => false,
            "after" => true,
            _ => return Err(malformed("it is neither before nor after a build")),
        };
        match rest {
            ["step", rest @ ..] => Ok(Self::Step(StepProof::read(after, &values(rest, &STEP)?)?)),
            rest if after => Ok(Self::Mount(MountProof::read(after, &values(rest, &AFTER)?)?)),
            rest => Ok(Self::Mount(MountProof::read(after, &values(rest, &BEFORE)?)?)),
        }
    }
}

/// Takes the values of keys that must all be there, in this order, and the word that shows that nothing was cut off.
fn values<'a>(words: &[&'a str], keys: &[&str]) -> Result<Vec<&'a str>, ProofError> {
    let [words @ .., "end"] = words else { return Err(ProofError::Malformed("it breaks off".to_owned())) };
    if words.len() != keys.len() {
        return Err(ProofError::Malformed(format!("{} values where {} belong", words.len(), keys.len())));
    }
    let value = |(word, key): (&&'a str, &&str)| {
        let value = word.split_once('=').filter(|(name, value)| name == key && !value.is_empty());
        value.map(|(_, value)| value).ok_or_else(|| ProofError::Malformed(format!("no `{key}`")))
    };
    words.iter().zip(keys).map(value).collect()
}

impl StepProof {
    fn read(after: bool, values: &[&str]) -> Result<Self, ProofError> {
        let [at, up, user, group, modules, objects] = values else { return Err(ProofError::NotOurStep) };
        let place = |value: &str| value.starts_with('/').then(|| value.to_owned());
        Ok(Self {
            after,
            at: number(at)?.and_then(moment),
            up: uptime(up)?,
            user: number(user)?.and_then(|user| u32::try_from(user).ok()),
            group: number(group)?.and_then(|group| u32::try_from(group).ok()),
            modules: place(modules),
            objects: place(objects),
        })
    }
}

impl MountProof {
    fn read(after: bool, values: &[&str]) -> Result<Self, ProofError> {
        let [target, kib, files, write, stamp, stamped, mark, run, rest @ ..] = values else {
            return Err(ProofError::NotOurStep);
        };
        if *target == "unknown" {
            return Err(ProofError::Malformed("the path of its mount cannot be printed".to_owned()));
        }
        let stamped = absent(stamped, number)?.is().copied().flatten().and_then(moment);
        let stamp = match absent(stamp, |text| Ok(text.to_owned()))? {
            Told::Is(text) => Told::Is(Stamp { at: stamp_time(&text).or(stamped), text }),
            Told::Absent => Told::Absent,
            Told::Unknown => Told::Unknown,
        };
        let left = |at: usize| rest.get(at).copied().filter(|value| *value != "none").unwrap_or("unknown");
        let mark = match absent(mark, |id| Ok(id.to_owned()))? {
            Told::Is(id) => Told::Is(Mark {
                id,
                run: Some(*run).filter(|run| !matches!(*run, "none" | "unknown")).map(str::to_owned),
                at: number(left(0))?.and_then(moment),
                bytes: number(left(1))?.and_then(kibibytes),
                files: number(left(2))?,
                target: Some(left(3)).filter(|target| *target != "unknown").map(str::to_owned),
            }),
            Told::Absent => Told::Absent,
            Told::Unknown => Told::Unknown,
        };
        Ok(Self {
            after,
            target: (*target).to_owned(),
            bytes: number(kib)?.and_then(kibibytes),
            files: number(files)?,
            writable: match *write {
                "yes" => Some(true),
                "no" => Some(false),
                "unknown" => None,
                other => return Err(ProofError::Malformed(format!("`write={other}`"))),
            },
            stamp,
            mark,
        })
    }
}

fn absent<T>(value: &str, read: impl FnOnce(&str) -> Result<T, ProofError>) -> Result<Told<T>, ProofError> {
    match value {
        "unknown" => Ok(Told::Unknown),
        "none" => Ok(Told::Absent),
        value => read(value).map(Told::Is),
    }
}

fn number(value: &str) -> Result<Option<u64>, ProofError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value {
        "unknown" => Ok(None),
        _ if digits => Ok(value.parse().ok()),
        _ => Err(ProofError::Malformed(format!("`{value}` where a number belongs"))),
    }
}

fn uptime(value: &str) -> Result<Option<Duration>, ProofError> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match value {
        "unknown" => Ok(None),
        _ if plain => Ok(value.parse().ok().and_then(|up| Duration::try_from_secs_f64(up).ok())),
        _ => Err(ProofError::Malformed(format!("`{value}` where a time belongs"))),
    }
}

fn kibibytes(kib: u64) -> Option<u64> {
    kib.checked_mul(1024)
}

fn moment(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Reads the text of a stamp: `2026-11-28T09:12:13.123Z` of a JavaScript action, `2026-11-28T09:12:13,123456789+00:00` of
/// `date --iso-8601=ns`.
fn stamp_time(text: &str) -> Option<SystemTime> {
    let text = text.replace(',', ".");
    if text.ends_with('Z') {
        return humantime::parse_rfc3339(&text).ok();
    }
    let (time, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let time = humantime::parse_rfc3339(&format!("{time}Z")).ok()?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let shift = Duration::from_secs(hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60);
    match offset.as_bytes().first()? {
        b'+' => time.checked_sub(shift),
        b'-' => time.checked_add(shift),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FOUND: &str = "vbc-proof v1 before mount=/go/pkg/mod kib=118000 files=1577 write=yes stamp=2026-11-28T09:12:13.500Z \
                         stamped=1795857133 mark=e33d mark-run=42.1.build mark-at=1795850000 mark-kib=117996 mark-files=1577 \
                         mark-mount=/go/pkg/mod end";

    fn mount(text: &str) -> MountProof {
        match ProofLine::read(text) {
            Ok(ProofLine::Mount(mount)) => mount,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_line_about_a_mount_says_what_it_holds_and_where_that_is_from() {
        let found = mount(FOUND);
        assert_eq!((found.bytes, found.files, found.writable), (Some(118_000 << 10), Some(1577), Some(true)));
        let stamp = found.stamp.is().unwrap();
        assert_eq!(humantime::format_rfc3339_millis(stamp.at.unwrap()).to_string(), "2026-11-28T09:12:13.500Z");
        let mark = found.mark.is().unwrap();
        assert_eq!(
            (mark.run.as_deref(), mark.files, mark.bytes),
            (Some("42.1.build"), Some(1577), Some(117_996 << 10))
        );
        let left = mount(
            "vbc-proof v1 after mount=/c kib=8 files=0 write=no stamp=none stamped=none mark=none mark-run=unknown end",
        );
        assert_eq!((left.writable, &left.stamp, &left.mark), (Some(false), &Told::Absent, &Told::Absent));
    }

    #[test]
    fn what_a_step_could_not_find_out_stays_unknown() {
        let text = "vbc-proof v1 before step at=unknown up=unknown user=unknown group=unknown gomodcache=unknown gocache=off end";
        let Ok(ProofLine::Step(step)) = ProofLine::read(text) else { panic!("{text}") };
        assert_eq!((step.at, step.up, step.user, step.modules, step.objects), (None, None, None, None, None));
        let found = mount(&FOUND.replace("kib=118000 files=1577", "kib=unknown files=unknown"));
        assert_eq!((found.bytes, found.files), (None, None));
    }

    #[test]
    fn stamps_of_every_version_are_times() {
        let shown = |text| stamp_time(text).map(|at| humantime::format_rfc3339_millis(at).to_string());
        assert_eq!(shown("2026-11-28T09:12:13,123456789+00:00").as_deref(), Some("2026-11-28T09:12:13.123Z"));
        assert_eq!(shown("2026-11-28T09:12:13,5+02:00").as_deref(), Some("2026-11-28T07:12:13.500Z"));
        for none in ["", "now", "2026-11-28", "\u{e9}\u{e9}\u{e9}\u{e9}"] {
            assert_eq!(shown(none), None, "{none}");
        }
    }

    #[test]
    fn anything_else_is_no_proof_line() {
        for (text, said) in [
            (FOUND.replace(" v1 ", " v2 "), "a proof line of version `v2`, which this program does not read"),
            (FOUND.replace("before", "during"), "a malformed proof line: it is neither before nor after a build"),
            (FOUND.replace(" files=1577", ""), "a malformed proof line: 11 values where 12 belong"),
            (FOUND.replace(" kib=118000 files=1577", " files=1577 kib=118000"), "a malformed proof line: no `kib`"),
            (FOUND.replace("kib=118000", "kib=118M"), "a malformed proof line: `118M` where a number belongs"),
            (
                FOUND.replace("mount=/go/pkg/mod ", "mount=unknown "),
                "a malformed proof line: the path of its mount cannot be printed",
            ),
            (FOUND.replace(" end", " more=1 end"), "a malformed proof line: 13 values where 12 belong"),
            (FOUND.replace(" end", ""), "a malformed proof line: it breaks off"),
            (FOUND.replace("e33d", "e3\u{1b}[2J3d"), "a malformed proof line: it has a control character"),
            (FOUND.replace("write=yes", "write=maybe"), "a malformed proof line: `write=maybe`"),
        ] {
            assert_eq!(ProofLine::read(&text).unwrap_err().to_string(), said);
        }
        assert!(
            ProofLine::begins(FOUND) && !ProofLine::begins("vbc-proofs v1") && !ProofLine::begins("+ vbc-proof v1")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "vbc-proof( v1)?( before| after)?( step)?.{0,60}") {
            let _ = ProofLine::read(&text);
        }

        #[test]
        fn a_line_that_is_cut_short_is_none_and_one_that_is_damaged_makes_no_panic(cut in 0..FOUND.len(), at in 0..FOUND.len(), letter in "[ -~]") {
            prop_assert!(ProofLine::read(&FOUND[..cut]).is_err(), "{}", &FOUND[..cut]);
            let changed = format!("{}{letter}{}", &FOUND[..at], &FOUND[at + 1..]);
            let _ = ProofLine::read(&changed);
        }
    }
}
