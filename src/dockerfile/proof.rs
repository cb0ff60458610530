//! The `RUN` steps that print proof lines, and how such a step is known again. [`ProofStep`] is principal.
//!
//! What a proof line says stands in `docs/proof-lines.md`. The script is written so that it
//! - ends well whatever happens in it, says `unknown` for what it cannot find out, and prints no errors: a shell may lack
//!   `du`, `find`, `go`, `id`, `date` and `wc`, may run with `-e`, `-u`, `-x` or `pipefail`, and may be no user's but root's;
//! - changes nothing that is built: it writes into the cache mounts only, and Go's own counters
//!   (`$HOME/.config/go/telemetry`) are kept out of the layer;
//! - has no backslash and no backtick, which a Dockerfile may use as its escape character, and no variable that a build sets
//!   outside single quotes, so that `BuildKit` names the step by its very text. A step with any other text is no proof step,
//!   whatever it prints.

use super::words;

/// What the line before the sizes before a build says.
pub const BEFORE_MARKER: &str = "=== BEFORE ===";
/// What the line before the sizes after a build says.
pub const AFTER_MARKER: &str = "=== AFTER ===";
/// The first word of a proof line.
pub const PROOF_WORD: &str = "vbc-proof";
/// The version of the proof lines that are written.
pub const PROOF_VERSION: &str = "v1";
/// The file that a proof step leaves in each cache mount after the build.
pub const MARK_FILE: &str = ".vbc-mark";
/// The file that inject leaves in each cache mount (buildkit-cache-dance, every version since v1).
pub const STAMP_FILE: &str = "buildstamp";
/// The id of the secret that tells a proof step which run it is of.
pub const RUN_SECRET: &str = "vbc_run";
/// Where that secret is mounted: `/dev` is no part of a layer.
pub(super) const RUN_SECRET_FILE: &str = "/dev/.vbc-run";

/// One `RUN` that prints proof lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofStep {
    /// Whether it stands after the build.
    pub after: bool,
    /// The targets of its cache mounts, as words of a shell.
    pub targets: Vec<String>,
}

/// The parts of the script, each on a line of its own in a Dockerfile; `before` and `after` share most of them.
fn head(after: bool) -> Vec<String> {
    let (marker, moment) = if after { (AFTER_MARKER, "after") } else { (BEFORE_MARKER, "before") };
    let mut parts = vec![
        format!("exec 2>/dev/null; set +eu; echo \"{marker}\";"),
        // What a line may hold as a value: no white space, nothing that a log could take for something else.
        "q() { case \"$1\" in \"\"|*[!-A-Za-z0-9/._:,@+]*) echo unknown;; *) echo \"$1\";; esac; };".to_owned(),
        // Away from go.mod and on the toolchain at hand: nothing may be downloaded before the caches are measured.
        "e() { cd / && GOTOOLCHAIN=local TEST_TELEMETRY_DIR=/dev/null/x go env \"$1\"; };".to_owned(),
        format!(
            "read -r up x </proc/uptime; echo \"{PROOF_WORD} {PROOF_VERSION} {moment} step at=$(q \"$(date +%s)\") up=$(q \"$up\") \
             user=$(q \"$(id -u)\") group=$(q \"$(id -g)\") gomodcache=$(q \"$(e GOMODCACHE)\") gocache=$(q \"$(e GOCACHE)\") end\";"
        ),
    ];
    if after {
        parts.push(format!(
            "read -r i </proc/sys/kernel/random/uuid; r=; eval 'r=$VBC_RUNNER'; read -r r <{RUN_SECRET_FILE}; r=$(q \"$r\"); \
             a=$(q \"$(date +%s)\");"
        ));
    }
    parts
}

fn tail(after: bool) -> Vec<String> {
    let moment = if after { "after" } else { "before" };
    let mut parts = vec![
        // Whether it can be written is tried: for root some shells call a read-only mount writable.
        "do du -sh \"$m\"; w=unknown; \
         command -v rm >/dev/null && { w=no; (: >\"$m/.vbc-write\") && rm -f \"$m/.vbc-write\" && w=yes; };"
            .to_owned(),
        // What `du` could not enter it has not counted.
        "k=$(du -sk \"$m\") || k=unknown; set -- $(echo \"$k\"); k=$1; f=unknown;".to_owned(),
        format!(
            "[ \"$k\" != unknown ] && command -v find >/dev/null && command -v wc >/dev/null && \
             f=$(find \"$m\" -type f ! -name {MARK_FILE} ! -name {STAMP_FILE} | wc -l);"
        ),
        format!(
            "s=none; t=none; [ -x \"$m\" ] || s=unknown; if [ -e \"$m/{STAMP_FILE}\" ]; then s=; read -r s <\"$m/{STAMP_FILE}\"; \
             t=$(date -r \"$m/{STAMP_FILE}\" +%s); fi;"
        ),
    ];
    let line = format!(
        "{PROOF_WORD} {PROOF_VERSION} {moment} mount=$(q \"$m\") kib=$(q \"$k\") files=$(q $f) write=$w stamp=$(q \"$s\") stamped=$(q \"$t\")"
    );
    match after {
        false => {
            parts.push(format!(
                "i=none; r=none; a=none; b=none; c=none; o=none; [ -x \"$m\" ] || i=unknown; if [ -e \"$m/{MARK_FILE}\" ]; then i=; \
                 read -r y i r a b c o <\"$m/{MARK_FILE}\"; [ \"$y\" = {PROOF_VERSION} ] || i=unknown; fi;"
            ));
            parts.push(format!(
                "echo \"{line} mark=$(q \"$i\") mark-run=$(q \"$r\") mark-at=$(q \"$a\") mark-kib=$(q \"$b\") mark-files=$(q \"$c\") \
                 mark-mount=$(q \"$o\") end\"; done; true"
            ));
        }
        true => {
            parts.push(format!(
                "n=none; [ \"$w\" = yes ] && [ -n \"$i\" ] && (echo {PROOF_VERSION} $i $r $a $k $f \"$m\" >\"$m/{MARK_FILE}\") && n=$i;"
            ));
            parts.push(format!("echo \"{line} mark=$(q \"$n\") mark-run=$(q \"$r\") end\"; done; true"));
        }
    }
    parts
}

impl ProofStep {
    /// Writes the script; `between` stands between its parts, such as a line continuation.
    pub(super) fn script(&self, between: &str) -> String {
        let mut parts = head(self.after);
        parts.push(format!("for m in {};", self.targets.join(" ")));
        parts.extend(tail(self.after));
        parts.join(between)
    }

    /// Reads the command of a `RUN`, its flags left out, as a Dockerfile has it or as `BuildKit` names the step.
    ///
    /// `None` for every other text: the command must be the script of this version, word for word.
    pub fn read(command: &str) -> Option<Self> {
        // Nearly every command is another.
        if !command.trim_start().starts_with("exec 2>/dev/null; set +eu; echo \"===") {
            return None;
        }
        let command = command.split_whitespace().collect::<Vec<_>>().join(" ");
        [false, true].into_iter().find_map(|after| {
            let joined = |parts: Vec<String>| parts.join(" ");
            let rest = command.strip_prefix(&joined(head(after)))?.strip_suffix(&joined(tail(after)))?;
            let targets = rest.strip_prefix(" for m in ")?.strip_suffix("; ")?;
            let targets = words::split(targets, '\\');
            (!targets.is_empty() && targets.iter().all(|word| is_target(word))).then_some(Self { after, targets })
        })
    }

    /// Returns the version of the proof lines that a command prints, if it is one of a proof step; `None` for the version is one
    /// that this program does not know, or a script that somebody has changed.
    pub(super) fn version(command: &str) -> Option<Option<&'static str>> {
        if Self::read(command).is_some() {
            return Some(Some(PROOF_VERSION));
        }
        let prints = command.contains(&format!("echo \"{PROOF_WORD} "));
        let sizes_only = [BEFORE_MARKER, AFTER_MARKER]
            .iter()
            .any(|marker| command.starts_with(&format!("echo \"{marker}\"; for cache in ")));
        (prints || sizes_only).then_some(None)
    }
}

/// Tells whether a word can be nothing but a path: no command hides in it.
fn is_target(word: &str) -> bool {
    let plain = |text: &str, more: &str| {
        !text.is_empty()
            && text.chars().all(|char| char.is_ascii_alphanumeric() || "/._-+@:".contains(char) || more.contains(char))
    };
    let inside = |quote: char| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    plain(word, "")
        || inside('"').is_some_and(|text| plain(text, "${}"))
        || inside('\'').is_some_and(|text| !text.contains(['\'', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(after: bool) -> ProofStep {
        ProofStep { after, targets: ["/go/pkg/mod", "'/a b'", "\"$GOPATH/pkg/mod\""].map(str::to_owned).to_vec() }
    }

    #[test]
    fn a_script_is_known_again_however_its_lines_are_broken() {
        for after in [false, true] {
            for between in [" ", " \n    ", "    "] {
                assert_eq!(ProofStep::read(&step(after).script(between)), Some(step(after)), "{after} {between:?}");
            }
        }
    }

    #[test]
    fn a_script_with_anything_else_in_it_is_none() {
        let script = step(false).script(" ");
        for other in [
            format!("{script}; cat old.log"),
            format!("cat old.log; {script}"),
            script.replace("/go/pkg/mod", "/go/pkg/mod; cat old.log"),
            script.replace("/go/pkg/mod", "$(cat old.log)"),
            script.replace("/go/pkg/mod", "\"$(cat old.log)\""),
            script.replace("/go/pkg/mod", "`cat old.log`"),
            ProofStep { after: false, targets: Vec::new() }.script(" "),
            script.replace("v1 before", "v2 before"),
            "cat build.log".to_owned(),
            format!("echo \"{PROOF_WORD} {PROOF_VERSION} before mount=/go/pkg/mod kib=9\""),
        ] {
            assert!(other != script && ProofStep::read(&other).is_none(), "{other}");
        }
    }

    #[test]
    fn nothing_in_the_script_means_something_to_a_dockerfile() {
        for after in [false, true] {
            let script = step(after).script(" ");
            assert!(!script.contains(['\\', '`', '#']) && !script.contains("<<") && !script.contains("${"), "{script}");
        }
    }

    #[test]
    fn the_version_of_other_lines_is_not_known() {
        assert_eq!(ProofStep::version(&step(true).script(" ")), Some(Some("v1")));
        assert_eq!(
            ProofStep::version("echo \"=== BEFORE ===\"; for cache in /c; do du -sh \"$cache\"; done"),
            Some(None)
        );
        assert_eq!(ProofStep::version("echo \"vbc-proof v9 before step\""), Some(None));
        assert_eq!(ProofStep::version("echo \"=== BEFORE ===\"; du -sh /c; go build"), None);
    }

    proptest! {
        #[test]
        fn no_word_that_is_taken_for_a_target_can_run_anything(word in "[a/ $(){}`;&|'\"<>\\\\-]{1,12}") {
            let script = ProofStep { after: false, targets: vec![word.clone()] }.script(" ");
            if let Some(found) = ProofStep::read(&script) {
                for target in found.targets {
                    let quoted = target.starts_with('\'');
                    prop_assert!(quoted || !target.contains(['(', '`', ';', '&', '|', '<', '>', ' ']), "{}", target);
                }
            }
        }
    }
}
