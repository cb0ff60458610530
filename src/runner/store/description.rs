//! An entry's description on disk: the wire type of the store. [`read`] and [`write`] are principal.
//!
//! Unknown fields are ignored; an unknown schema is refused.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, de};

use super::StoreError;
use crate::cache::{EntryId, EntryMeta, Identity, Key, Scope, Version};

const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Description {
    schema: u32,
    id: u64,
    key: String,
    version: String,
    scope: String,
    size: u64,
    /// Times are nanoseconds since 1970.
    created: u64,
    last_used: u64,
    evicted: Option<u64>,
}

/// Reads a description.
pub(super) fn read(path: &Path) -> Result<EntryMeta, StoreError> {
    let text = fs::read(path).map_err(StoreError::read(path))?;
    let corrupt = |source| StoreError::Corrupt { path: path.to_owned(), source };
    let found: Description = serde_json::from_slice(&text).map_err(corrupt)?;
    if found.schema != SCHEMA {
        return Err(corrupt(de::Error::custom(format!("schema {} is not {SCHEMA}", found.schema))));
    }
    let key = Key::new(found.key).map_err(|error| corrupt(de::Error::custom(error)))?;
    Ok(EntryMeta {
        id: EntryId(found.id),
        identity: Identity { key, version: Version::from_hex(found.version), scope: Scope::new(found.scope) },
        size: found.size,
        created: time(found.created),
        last_used: time(found.last_used),
        evicted: found.evicted.map(time),
    })
}

/// Writes a description at once and whole: at `staging` first, then by rename.
pub(super) fn write(entry: &EntryMeta, staging: &Path, path: &Path) -> Result<(), StoreError> {
    let description = Description {
        schema: SCHEMA,
        id: entry.id.0,
        key: entry.identity.key.to_string(),
        version: entry.identity.version.to_string(),
        scope: entry.identity.scope.to_string(),
        size: entry.size,
        created: nanos(entry.created),
        last_used: nanos(entry.last_used),
        evicted: entry.evicted.map(nanos),
    };
    let text = serde_json::to_vec_pretty(&description)
        .map_err(|source| StoreError::Corrupt { path: path.to_owned(), source })?;
    fs::write(staging, text).map_err(StoreError::write(staging))?;
    fs::rename(staging, path).map_err(StoreError::write(path))
}

/// Counts from 1970; a time before counts as 1970, one after 2554 as 2554.
fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn time(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}
