//! The builders of a job, and the namespaces in which their cache mounts live: proven empty before the first step, counted
//! after the last. [`Builders`] is principal.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::StepContext;
use crate::dockerfile::MountOptions;
use crate::engine::{Engine, Namespace};
use crate::evidence::{Creator, Fact, MountRecord, Quote};
use crate::plan::Action;
use crate::runner::RunError;

/// The builders of one job.
#[derive(Debug)]
pub(super) struct Builders {
    /// The one that commands without `--builder` use.
    pub(super) active: String,
    /// All there are; a builder's place gives its namespace.
    pub(super) names: Vec<String>,
    /// The namespaces that were proven empty before the first step.
    fresh: Vec<Namespace>,
    used: Vec<Namespace>,
    /// A build with no-cache has made its mounts anew.
    pub(super) wiped: bool,
    /// The cache mounts that copies and builds have named, by namespace.
    named: BTreeMap<Namespace, BTreeSet<String>>,
}

impl Default for Builders {
    /// The engine's own builder, which is there from the start.
    fn default() -> Self {
        Self {
            active: "default".to_owned(),
            names: vec!["default".to_owned()],
            fresh: Vec::new(),
            used: Vec::new(),
            wiped: false,
            named: BTreeMap::new(),
        }
    }
}

impl<E: Engine> StepContext<'_, E> {
    /// Emits what the engine has of this job's mounts.
    pub(super) async fn record_mounts(&mut self) -> Result<(), RunError> {
        let home = self.home();
        let all = self.builders.names.iter().enumerate();
        let all = all.map(|(index, builder)| (self.setting.namespace(home, self.with_dance, index), builder.clone()));
        let used: Vec<(Namespace, String)> =
            all.filter(|(namespace, _)| self.builders.used.contains(namespace)).collect();
        let found = join_all(used.iter().map(|(namespace, _)| self.engine.mounts(namespace))).await;
        for ((namespace, builder), mounts) in used.into_iter().zip(found) {
            let mounts = mounts?;
            self.refuse_second_mounts(&namespace, mounts.len())?;
            for mount in mounts {
                let made = match mount.creator {
                    Creator::Inject => "the dance's inject",
                    Creator::Extract => "the dance's extract",
                    Creator::Build => "the build",
                };
                let words = format!(
                    "cache mount {} on builder {builder}: {} bytes, first created by {made}",
                    mount.target, mount.bytes
                );
                self.recorder.fact_at(
                    Quote::measured("engine", words),
                    Fact::MountRecord(MountRecord {
                        builder: builder.clone(),
                        target: mount.target,
                        creator: mount.creator,
                        bytes: mount.bytes,
                    }),
                );
            }
        }
        Ok(())
    }

    /// Remembers that a step names cache mounts.
    pub(super) fn name_mounts<'m>(&mut self, namespace: &Namespace, mounts: impl Iterator<Item = &'m MountOptions>) {
        let named = self.builders.named.entry(namespace.clone()).or_default();
        named.extend(mounts.map(|mount| mount.identity().to_string()));
    }

    /// Notes a build that an action has made by itself in the namespace of a builder.
    pub(super) fn note_build(&mut self, builder: &str, mounts: &[String], no_cache: bool) -> Result<(), RunError> {
        if let Some(namespace) = self.namespace(builder)? {
            self.builders.named.entry(namespace).or_default().extend(mounts.iter().cloned());
        }
        self.builders.wiped |= no_cache;
        Ok(())
    }

    /// Lists the builders, each with its namespace.
    pub(super) fn namespaces(&self) -> Vec<(String, Namespace)> {
        let home = self.home();
        let named = self.builders.names.iter().enumerate();
        named.map(|(index, name)| (name.clone(), self.setting.namespace(home, self.with_dance, index))).collect()
    }

    /// Stops where the engine holds more cache mounts than the steps name: then a step did not get the one that it named,
    /// and what it found or left behind says nothing about the workflow.
    fn refuse_second_mounts(&self, namespace: &Namespace, found: usize) -> Result<(), RunError> {
        let named = self.builders.named.get(namespace).map_or(0, BTreeSet::len);
        if found > named && !self.builders.wiped {
            return Err(RunError::Disturbed { namespace: namespace.as_str().to_owned(), found, named });
        }
        Ok(())
    }

    /// Returns the run in whose namespaces this one works: its own, or that of the run whose layers its build reads.
    ///
    /// The control arm reads no layers, since a build that did not run would prove nothing.
    pub(super) fn home(&self) -> u32 {
        let builds = self.plan.steps.iter().filter(|step| self.with_dance && step.action.builds());
        let inputs = builds.filter_map(|step| self.evaluate(step, step.input("cache-from")?).ok());
        let mut found = inputs.filter_map(|input| self.setting.layers.find(&input, &self.plan.trigger));
        found.next().unwrap_or(self.number)
    }

    /// Proves that the mounts of every builder this job may have are empty. It costs time that is no step's, so it comes
    /// before the first; all builders are asked about at once, and an engine answers that with one listing.
    pub(super) async fn prove_fresh(&mut self) -> Result<(), RunError> {
        let home = self.home();
        let set_up = self.plan.steps.iter().filter(|step| step.action == Action::SetupBuildx).count();
        let namespaces: Vec<Namespace> =
            (0..=set_up).map(|index| self.setting.namespace(home, self.with_dance, index)).collect();
        for namespace in &namespaces {
            self.setting.ledger.remember(namespace);
            if home != self.number {
                self.engine.drop_mounts(namespace).await?;
            }
        }
        let found = join_all(namespaces.iter().map(|namespace| self.engine.mounts(namespace))).await;
        for (namespace, mounts) in namespaces.iter().zip(found) {
            let count = mounts?.len();
            if count > 0 {
                return Err(RunError::NotFresh { namespace: namespace.as_str().to_owned(), count });
            }
        }
        self.builders.fresh = namespaces;
        Ok(())
    }

    /// Returns the namespace of a builder, which is proven empty before it is used; `None` when there is no such builder.
    pub(super) fn namespace(&mut self, builder: &str) -> Result<Option<Namespace>, RunError> {
        let Some(index) = self.builders.names.iter().position(|known| known == builder) else { return Ok(None) };
        let home = self.home();
        let namespace = self.setting.namespace(home, self.with_dance, index);
        if !self.builders.used.contains(&namespace) {
            if !self.builders.fresh.contains(&namespace) {
                let reason = format!("builder {builder} works in {}, which nobody proved empty", namespace.as_str());
                return Err(RunError::Worker { reason });
            }
            self.builders.used.push(namespace.clone());
        }
        Ok(Some(namespace))
    }
}
