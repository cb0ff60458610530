//! Adds what a Dockerfile at hand says to what a log shows. [`with_dockerfile_mounts`] is principal.

use crate::evidence::{Event, Fact, MountSpec, Quote};

/// Adds the cache mounts of a Dockerfile to every build of a log, where the log itself does not show them.
///
/// Where the log shows a mount of the same target, the log is right: the file at hand may be older or newer than the build.
/// `quote` is what the added facts rest on, such as the line of the Dockerfile. A log with no build gets nothing: a
/// Dockerfile alone shows no build.
pub fn with_dockerfile_mounts(events: Vec<Event>, mounts: &[MountSpec], quote: &Quote) -> Vec<Event> {
    let shown = |mount: &MountSpec, from: &[Event]| {
        let this = from.iter().take_while(|event| !matches!(event.fact, Fact::BuildStarted { .. }));
        this.into_iter().any(|event| matches!(&event.fact, Fact::BuildMount(known) if same(known, mount)))
    };
    let mut all: Vec<Event> = Vec::with_capacity(events.len() + mounts.len());
    for (at, event) in events.iter().enumerate() {
        all.push(event.clone());
        if !matches!(event.fact, Fact::BuildStarted { .. }) {
            continue;
        }
        let missing = mounts.iter().filter(|mount| !shown(mount, &events[at + 1..]));
        all.extend(missing.map(|mount| Event {
            step: event.step,
            at: event.at,
            quote: quote.clone(),
            fact: Fact::BuildMount(mount.clone()),
        }));
    }
    all
}

fn same(known: &MountSpec, mount: &MountSpec) -> bool {
    known.same_cache(mount) || known.clean_target() == mount.clean_target()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_build_gets_the_mounts_its_log_does_not_show() {
        let quote = Quote::measured("Dockerfile", "RUN");
        let event = |fact| Event { step: None, at: None, quote: quote.clone(), fact };
        let mount = |target: &str| MountSpec { target: target.into(), id: None, owner: String::new() };
        let start = || event(Fact::BuildStarted { builder: None });
        let events = vec![start(), event(Fact::BuildMount(mount("/a"))), start()];
        let all = with_dockerfile_mounts(events, &[mount("/a"), mount("/b")], &quote);
        let targets: Vec<&str> = all
            .iter()
            .map(|event| match &event.fact {
                Fact::BuildMount(mount) => mount.target.as_str(),
                _ => "build",
            })
            .collect();
        assert_eq!(targets, ["build", "/b", "/a", "build", "/a", "/b"]);
        assert!(with_dockerfile_mounts(Vec::new(), &[mount("/a")], &quote).is_empty());
    }
}
