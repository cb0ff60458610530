//! Which process wrote a journal, so that a dead one is known from one that lives. [`ProcessIdentity`] is principal.
//!
//! The number of a process is used again, so its start stands beside it; both count for one boot of one machine only.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process among all that ever ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessIdentity {
    /// Its number.
    pub(super) id: u32,
    /// When it started, in the kernel's ticks since the boot; see proc(5), `stat`, field 22.
    pub(super) start: String,
    /// The boot of the machine.
    pub(super) boot: String,
    /// The table in which its number counts: a container has its own.
    pub(super) table: String,
    /// The machine.
    pub(super) machine: String,
}

impl ProcessIdentity {
    /// Returns this process.
    pub(super) fn current() -> Self {
        let id = std::process::id();
        let word = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        Self {
            id,
            start: start_of(id).unwrap_or_default(),
            boot: word("/proc/sys/kernel/random/boot_id"),
            table: table(),
            machine: word("/etc/machine-id"),
        }
    }

    /// Tells whether it ran on another machine, of whose processes nothing is known here.
    pub(super) fn elsewhere(&self, here: &Self) -> bool {
        self.machine != here.machine
    }

    /// Tells whether it is known to live. One of another boot does not; of one in another table nothing is known.
    pub(super) fn lives(&self, here: &Self) -> bool {
        self.boot == here.boot && self.table == here.table && start_of(self.id).is_some_and(|start| start == self.start)
    }
}

fn table() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().into_owned()
}

/// Reads when a process started. Its name stands before, in parentheses, and may hold anything.
fn start_of(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    // A zombie has ended, whoever has not asked for its end yet.
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_took_its_number_or_another_boot_does_not() {
        let here = ProcessIdentity::current();
        assert!(here.lives(&here) && !here.start.is_empty() && !here.boot.is_empty());
        for dead in [
            ProcessIdentity { start: "1".to_owned(), ..here.clone() },
            ProcessIdentity { boot: "an older one".to_owned(), ..here.clone() },
            ProcessIdentity { id: u32::MAX, ..here.clone() },
        ] {
            assert!(!dead.lives(&here), "{dead:?}");
        }
    }

    #[test]
    fn a_child_that_has_ended_is_dead_also_while_nobody_asks_for_its_end() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        assert!(start_of(child.id()).is_some());
        child.kill().unwrap();
        while start_of(child.id()).is_some() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
