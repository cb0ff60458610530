//! The text of a `RUN` that prints proof lines, with the cache mounts it looks into. [`text`] is principal.

use super::mount::MountOptions;
use super::parse::{Dockerfile, RunPlace};
use super::proof::{PROOF_VERSION, ProofStep, RUN_SECRET, RUN_SECRET_FILE};
use super::scope::CacheMount;

/// Writes the `RUN` that prints the proof lines before or after the build; `None` when none of the mounts can be had at that
/// place.
pub(super) fn text(file: &Dockerfile, after: bool, place: RunPlace, mounts: &[CacheMount]) -> Option<String> {
    let at_place = |mount: &CacheMount| {
        let run = &file.stages[place.0].runs[place.1];
        run.flags.iter().any(|flag| flag.written == mount.written)
    };
    let next = format!(" {}\n    ", file.escape);
    let mut flags = String::new();
    let mut targets = Vec::new();
    for mount in mounts {
        // Further down in its own stage its variables are still there, with what the build is given for them.
        let own = at_place(mount) || mount.stage == place.0 || !mount.written.contains('$');
        // A stage named in `from` may not exist yet at an earlier place.
        if mount.options.from.is_some() && mount.stage != place.0 {
            continue;
        }
        let (flag, target) = if own || !mount.unresolved.is_empty() {
            (mount.written.clone(), target_word(mount))
        } else {
            (resolved(&mount.options)?, quoted(&mount.options.target))
        };
        flags.push_str(&format!("--mount={flag}{next}"));
        targets.push(target);
    }
    if targets.is_empty() {
        return None;
    }
    // A secret is no part of what the layer cache compares, so naming the run makes nothing run again.
    if after {
        flags.push_str(&format!("--mount=type=secret,id={RUN_SECRET},target={RUN_SECRET_FILE},mode=0444{next}"));
    }
    let about = if after { "leaves after" } else { "finds before" };
    let script = ProofStep { after, targets }.script(&next);
    Some(format!(
        "# What Go {about} the build in its caches (verify-buildkit-cache, proof lines {PROOF_VERSION}).\nRUN {flags}{script}\n"
    ))
}

/// The target for the shell: the resolved one, or the shell resolves what only the image knows.
fn target_word(mount: &CacheMount) -> String {
    if mount.unresolved.is_empty() {
        return quoted(&mount.options.target);
    }
    let target = mount.written.split(',').find_map(|field| {
        let (key, value) = field.split_once('=')?;
        matches!(key.to_ascii_lowercase().as_str(), "target" | "dst" | "destination").then_some(value)
    });
    let target = target.unwrap_or_default().trim_matches(['"', '\'']);
    if target.contains(['"', '`', '\\', '(']) { quoted(&mount.options.target) } else { format!("\"{target}\"") }
}

fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+@:".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Writes options with their variables replaced; `None` when they need quoting.
fn resolved(options: &MountOptions) -> Option<String> {
    let mut fields = vec![("type", "cache".to_owned()), ("target", options.target.clone())];
    let optional = [
        ("id", &options.id),
        ("uid", &options.uid),
        ("gid", &options.gid),
        ("mode", &options.mode),
        ("from", &options.from),
        ("source", &options.source),
    ];
    fields.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
    let text: Vec<String> = fields.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let needs_quotes =
        |field: &String| field.contains([',', '"', '\'', '\\', '$', '`']) || field.contains(char::is_whitespace);
    (!text.iter().any(needs_quotes)).then(|| text.join(","))
}
