//! Removes what another process made and left when it died. [`AbandonedCleaned`] is principal.
//!
//! What bears a namespace can go at once. The rest is told by the moments in which the dead process's vertexes worked; in
//! those, a run that is still alive may have made the like. So that rest waits until nobody is under way.

use std::collections::HashMap;

use super::Docker;
use super::claims::OwnedRecords;
use super::clean::ROUNDS;
use super::made::TrackedBuild;
use super::usage::{Record, RecordFilter};
use crate::engine::{AbandonedWork, Cleaned, EngineError, Namespace};

/// What came of the removal of what dead processes left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AbandonedCleaned {
    /// What went, or would go.
    pub cleaned: Cleaned,
    /// Records that the engine still uses, so that they have to be asked for again later.
    pub in_use: usize,
    /// Records that stay because layers of somebody else's stand on them by now; they are part of those.
    pub held: usize,
}

impl Docker {
    /// Removes what dead processes left under namespaces. `alone` says that no other run is under way on this engine, by
    /// which alone the records can be told that bear no mark.
    ///
    /// # Errors
    /// [`EngineError`]; what was removed before stays removed, and asking again is safe.
    pub async fn clean_abandoned(&self, left: &[AbandonedWork], alone: bool) -> Result<AbandonedCleaned, EngineError> {
        let names: Vec<Namespace> = left.iter().map(|left| left.namespace.clone()).collect();
        let mut cleaned = Cleaned::default();
        if names.is_empty() {
            return Ok(AbandonedCleaned::default());
        }
        let first = self.remove_labelled(&names, &mut cleaned).await;
        let made = tracked(left, alone);
        let remaining = self.remove_records(&made, asked(&made, &names, alone), ROUNDS, &mut cleaned).await?;
        first.map_or(Ok(()), Err)?;
        (cleaned.kept, cleaned.kept_bytes) = (remaining.kept, remaining.kept_bytes);
        Ok(AbandonedCleaned { cleaned, in_use: remaining.in_use, held: remaining.held })
    }

    /// Counts what [`Docker::clean_abandoned`] would remove now, and removes nothing.
    ///
    /// # Errors
    /// [`EngineError`] when the engine cannot be asked.
    pub async fn count_abandoned(&self, left: &[AbandonedWork], alone: bool) -> Result<AbandonedCleaned, EngineError> {
        let names: Vec<Namespace> = left.iter().map(|left| left.namespace.clone()).collect();
        if names.is_empty() {
            return Ok(AbandonedCleaned::default());
        }
        let containers = self.labelled_containers(&names).await?.len();
        let images = self.labelled_images(&names).await?.len();
        let made = tracked(left, alone);
        let records = self.records(asked(&made, &names, alone)).await?;
        let claims = OwnedRecords::new(&records, &made);
        let mounts = claims.free.iter().filter(|id| claims.mounts.contains(*id)).count();
        let free = records.iter().filter(|record| claims.free.contains(record.id.as_str()));
        let bytes = free.map(Record::bytes).sum();
        let layers = claims.free.len() - mounts;
        let cleaned = Cleaned { mounts, images, containers, layers, bytes, ..Cleaned::default() };
        Ok(AbandonedCleaned { cleaned, in_use: 0, held: claims.held })
    }
}

/// Puts together what is known of namespaces; beside others, only their names.
fn tracked(left: &[AbandonedWork], alone: bool) -> HashMap<Namespace, TrackedBuild> {
    let tracked = left.iter().map(|left| {
        let work = if alone { left.work.clone() } else { Vec::new() };
        (left.namespace.clone(), TrackedBuild { work, done: true, until: Some(left.until) })
    });
    tracked.collect()
}

fn asked<'n>(made: &HashMap<Namespace, TrackedBuild>, names: &'n [Namespace], alone: bool) -> RecordFilter<'n> {
    match alone {
        false => RecordFilter::Naming(names),
        true if made.values().any(TrackedBuild::unmarked) => RecordFilter::All,
        true => RecordFilter::NamingOrLayers(names),
    }
}
