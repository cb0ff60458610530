//! What a proof step of `instrument` prints in a fake build. [`FakeBuild::proof`] is principal.
//!
//! The step's script is known word for word, so what it would find is said here instead of being run. Its clock is left out:
//! the fake engine's time is its own.

use super::build::FakeBuild;
use super::run::Environment;
use crate::dockerfile::{MARK_FILE, PROOF_VERSION, PROOF_WORD, ProofStep, STAMP_FILE};

impl FakeBuild<'_> {
    /// Prints the lines of a proof step, and leaves its marks.
    pub(super) fn proof(&mut self, step: &ProofStep, environment: &mut Environment<'_>) {
        let moment = if step.after { "after" } else { "before" };
        self.line(format!("=== {} ===", moment.to_uppercase()));
        let up = self.state.advance(super::build::MOMENT).duration_since(std::time::SystemTime::UNIX_EPOCH);
        let up = up.unwrap_or_default().as_secs_f64();
        let (user, modules, objects) = (environment.uid(), environment.modules(), environment.build_cache());
        self.line(format!(
            "{PROOF_WORD} {PROOF_VERSION} {moment} step at=unknown up={up:.2} user={user} group={user} gomodcache={modules} \
             gocache={objects} end"
        ));
        let run = environment.variable("VBC_RUNNER").unwrap_or("unknown").to_owned();
        for target in &step.targets {
            let target = target.trim_matches(['\'', '"']).to_owned();
            let line = self.mount_line(step.after, &target, &run, environment);
            self.line(line);
        }
    }

    fn mount_line(&mut self, after: bool, target: &str, run: &str, environment: &mut Environment<'_>) -> String {
        let writable = self.may_write(target, environment);
        let closed = environment.closed(target);
        let (scale, now) = (self.fake.scale, self.state.advance(super::build::MOMENT));
        let id = format!("{:x}", now.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos());
        let write = if writable { "yes" } else { "no" };
        let moment = if after { "after" } else { "before" };
        self.at(target, environment, |home| {
            let inside = |name: &str| home.inside(name);
            let (kib, files) = match closed {
                true => ("unknown".to_owned(), "unknown".to_owned()),
                false => {
                    let bytes = home.tree.bytes(&home.path).saturating_mul(scale).saturating_add(4096);
                    let own = [MARK_FILE, STAMP_FILE].iter().filter(|name| home.tree.contains(&inside(name))).count();
                    (bytes.div_ceil(1024).to_string(), (home.tree.files(&home.path) - own).to_string())
                }
            };
            let text = |name: &str| home.tree.read(&inside(name)).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let stamp = if closed { "unknown".to_owned() } else { text(STAMP_FILE).unwrap_or_else(|| "none".to_owned()) };
            let line = format!(
                "{PROOF_WORD} {PROOF_VERSION} {moment} mount={target} kib={kib} files={files} write={write} stamp={} stamped=unknown",
                stamp.trim()
            );
            if after {
                let left = writable && !closed;
                if left {
                    let mark = format!("{PROOF_VERSION} {id} {run} unknown {kib} {files} {target}\n");
                    home.tree.write(&inside(MARK_FILE), 0o644, mark.into_bytes(), now);
                }
                return format!("{line} mark={} mark-run={run} end", if left { id.as_str() } else { "none" });
            }
            let mark = text(MARK_FILE).filter(|_| !closed).unwrap_or_else(|| "v1 none none none none none none".to_owned());
            let mut words = mark.split_whitespace().skip(1);
            let mut next = || words.next().unwrap_or("unknown");
            let (id, run, at, kib, files, target) = (next(), next(), next(), next(), next(), next());
            format!("{line} mark={id} mark-run={run} mark-at={at} mark-kib={kib} mark-files={files} mark-mount={target} end")
        })
    }
}
