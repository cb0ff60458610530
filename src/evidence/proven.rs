//! What the proof lines of a build show, as facts. [`BuildOutput::proof_line`] is principal.
//!
//! A proof line counts only where its step is one that `instrument` wrote, word for word: what a `cat`, an `echo` or a script
//! prints is none, whatever it says. What it shows goes before what is guessed from other output.

use std::collections::BTreeSet;
use std::time::Duration;

use super::observe::Size;
use super::vertex::Vertex;
use super::{
    BuildDoubt, BuildOutput, EMPTY_MOUNT, Fact, GoCache, GoPlace, MeasuredAt, MountProof, ProofError, ProofLine,
    StepProof,
};
use crate::dockerfile::clean_path;

/// How far the clocks of a builder and of who reads its output may differ.
const CLOCKS: Duration = Duration::from_secs(600);

/// How much of the time between the proof lines may be left unexplained: layers are stored in it, too.
const UNEXPLAINED: Duration = Duration::from_secs(30);

/// How many reasons are told for which lines of one build were left out.
const REASONS: usize = 8;

/// What the proof lines of a build have told so far.
#[derive(Debug, Default)]
pub(super) struct ProofsSoFar {
    /// Reasons for which a line was left out; each is told once.
    ignored: BTreeSet<String>,
    /// Steps whose lines are from another time.
    outdated: BTreeSet<u64>,
    /// When the last step before the build ran, and which steps had ended by then.
    before: Option<(Duration, BTreeSet<u64>)>,
    /// When a step after the build ran.
    after: Option<(u64, Duration)>,
    /// Mounts into which a step before the build could not write.
    unwritable: BTreeSet<String>,
    /// Where Go keeps its caches, as the last step said.
    places: Vec<GoPlace>,
}

impl BuildOutput {
    /// Reads a line that begins as a proof line does.
    pub(super) fn proof_line(&mut self, id: u64, text: &str) -> Vec<Fact> {
        match self.read_proof(id, text) {
            Ok(line) => {
                let mut facts = vec![Fact::Proof(line.clone())];
                match line {
                    ProofLine::Step(step) => self.step_proven(id, &step, &mut facts),
                    ProofLine::Mount(mount) => self.mount_proven(id, &mount, &mut facts),
                }
                facts
            }
            Err(error) => {
                let reason: String = error.to_string().chars().filter(|char| !char.is_control()).take(200).collect();
                let news = self.proofs.ignored.len() < REASONS && self.proofs.ignored.insert(reason.clone());
                if news { vec![Fact::ProofIgnored { reason }] } else { Vec::new() }
            }
        }
    }

    fn read_proof(&mut self, id: u64, text: &str) -> Result<ProofLine, ProofError> {
        let vertex = self.vertexes.get(&id).ok_or(ProofError::NotOurStep)?;
        let step = vertex.proof.as_ref().ok_or(ProofError::NotOurStep)?;
        let line = ProofLine::read(text)?;
        let (after, other) = match &line {
            ProofLine::Step(found) => (found.after, None),
            ProofLine::Mount(found) => (found.after, Some(&found.target).filter(|target| !mounts(vertex, target))),
        };
        if after != step.after {
            return Err(ProofError::Malformed("its step stands on the other side of the build".to_owned()));
        }
        if let Some(target) = other {
            return Err(ProofError::Malformed(format!("its step does not mount {target}")));
        }
        if let ProofLine::Step(StepProof { at: Some(at), .. }) = &line
            && let Some(now) = self.now
        {
            let apart = now.duration_since(*at).unwrap_or_else(|earlier| earlier.duration());
            if apart > CLOCKS {
                self.proofs.outdated.insert(id);
                return Err(ProofError::OtherTime(humantime::format_duration(apart).to_string()));
            }
        }
        if self.proofs.outdated.contains(&id) {
            return Err(ProofError::OtherTime("too far".to_owned()));
        }
        Ok(line)
    }

    fn step_proven(&mut self, id: u64, step: &StepProof, facts: &mut Vec<Fact>) {
        let places = [(GoCache::Modules, &step.modules), (GoCache::Objects, &step.objects)];
        let places = places.into_iter().filter_map(|(cache, path)| Some((cache, clean_path(path.as_deref()?))));
        let places: Vec<GoPlace> = places.map(|(cache, path)| GoPlace { cache, path }).collect();
        if step.after {
            let elsewhere = places.iter().filter(|place| self.lies_elsewhere(id, place));
            let doubts = elsewhere.map(|place| BuildDoubt::CacheNotUsed { command: assignment(place) });
            facts.extend(doubts.map(Fact::BuildDoubt));
        }
        facts.extend(places.iter().cloned().map(Fact::GoPlace));
        self.proofs.places = places;
        match (step.up, step.after) {
            (Some(up), false) => {
                let ended = self.vertexes.iter().filter(|(_, vertex)| vertex.ended).map(|(id, _)| *id).collect();
                self.proofs.before = Some((up, ended));
            }
            (Some(up), true) => self.proofs.after = Some((id, up)),
            (None, _) => {}
        }
    }

    /// Tells whether Go keeps a cache in none of a step's mounts although one of them is named for it, and no step of the build
    /// says for itself where it lies.
    fn lies_elsewhere(&self, id: u64, place: &GoPlace) -> bool {
        let Some(own) = self.vertexes.get(&id) else { return false };
        let name = match place.cache {
            GoCache::Modules => "pkg/mod",
            GoCache::Objects => "go-build",
        };
        let named = own.mounts.iter().any(|mount| mount.clean_target().ends_with(name));
        let said = self.vertexes.values().flat_map(|vertex| &vertex.places).any(|said| said.cache == place.cache);
        named && !said && !own.mounted(&place.path)
    }

    fn mount_proven(&mut self, id: u64, mount: &MountProof, facts: &mut Vec<Fact>) {
        let target = clean_path(&mount.target);
        if let Some(bytes) = mount.bytes {
            let moment = if mount.after { MeasuredAt::After } else { MeasuredAt::Before };
            self.mark(id, moment);
            let size = self.size(id, Size::Bytes(bytes), target.clone());
            let full = moment == MeasuredAt::Before && size.is_some() && bytes >= EMPTY_MOUNT;
            facts.extend(size);
            if full {
                facts.extend(self.doubts_of_size(id, &target, bytes));
            }
        }
        match (mount.writable, mount.after) {
            (Some(false), false) => {
                self.proofs.unwritable.insert(target);
            }
            // Both sides of the build say so, so the user that builds is no other; and Go would write there.
            (Some(false), true)
                if self.proofs.unwritable.remove(&target)
                    && !self.read_only(id, &target)
                    && self.proofs.places.iter().any(|place| self.keeps(id, place, &target)) =>
            {
                facts.push(Fact::MountRefused { target });
            }
            _ => {}
        }
    }

    /// Tells whether a place lies in the mount that a step has at a target.
    fn keeps(&self, id: u64, place: &GoPlace, target: &str) -> bool {
        let mount = self.vertexes.get(&id).and_then(|vertex| vertex.mount_at(&place.path));
        mount.is_some_and(|mount| mount.clean_target() == target)
    }

    fn read_only(&self, id: u64, target: &str) -> bool {
        self.vertexes.get(&id).is_some_and(|vertex| vertex.read_only.contains(target))
    }

    /// Returns the doubt that the end of a step after the build brings: far more time passed than its steps say they ran.
    pub(super) fn doubts_of_span(&mut self, id: u64) -> Vec<Fact> {
        let Some((_, after)) = self.proofs.after.filter(|(last, _)| *last == id) else { return Vec::new() };
        let Some((before, ended)) = &self.proofs.before else { return Vec::new() };
        let span = after.saturating_sub(*before);
        let between = self.vertexes.iter().filter(|(id, vertex)| vertex.proof.is_none() && !ended.contains(id));
        let known = between.filter_map(|(_, vertex)| vertex.took).fold(Duration::ZERO, Duration::saturating_add);
        if span.saturating_sub(known) <= UNEXPLAINED.max(known) {
            return Vec::new();
        }
        vec![Fact::BuildDoubt(BuildDoubt::SpanUnexplained { known, span })]
    }
}

/// Tells whether a step mounts a cache at a target, as far as its variables are known.
fn mounts(vertex: &Vertex, target: &str) -> bool {
    let target = clean_path(target);
    vertex.mounts.iter().any(|mount| mount.clean_target() == target || mount.target.contains('$'))
}

fn assignment(place: &GoPlace) -> String {
    match place.cache {
        GoCache::Modules => format!("GOMODCACHE={}", place.path),
        GoCache::Objects => format!("GOCACHE={}", place.path),
    }
}

#[cfg(test)]
mod tests;
