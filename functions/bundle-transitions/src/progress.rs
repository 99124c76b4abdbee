//! The progress of a run: the position in each shard of the due index.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::{
    domain::{rejection::Rejection, time},
    store::DUE_SHARDS,
};

/// The progress of a run, which the cursor carries from one call to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunProgress {
    /// The start of the run. The next run processes items that fall due later.
    #[serde(serialize_with = "time::serialize")]
    began: DateTime<Utc>,
    /// The unfinished shards, each with its position. A shard without a position starts at its beginning.
    shards: Vec<(u8, Option<String>)>,
}

impl RunProgress {
    /// Begins a run at `now`.
    pub(crate) fn begin(now: DateTime<Utc>) -> Self {
        Self { began: now, shards: (0..DUE_SHARDS).map(|shard| (shard, None)).collect() }
    }

    /// Reads the progress from the cursor of an earlier call.
    ///
    /// # Errors
    ///
    /// Rejects a cursor that no run wrote. A start after `now` is rejected too, because future transitions must not be
    /// recorded.
    pub(crate) fn read(position: &str, now: DateTime<Utc>) -> Result<Self, Rejection> {
        let read: Self = serde_json::from_str(position).map_err(|_| Rejection::InvalidCursor)?;
        let is_sorted = read.shards.is_sorted_by(|(shard, _), (next, _)| shard < next);
        let shards_exist = read.shards.iter().all(|(shard, _)| *shard < DUE_SHARDS);
        if is_sorted && shards_exist && read.began <= now { Ok(read) } else { Err(Rejection::InvalidCursor) }
    }

    /// The same run with these unfinished shards, or `None` if no shard remains.
    pub(crate) fn with_remaining(&self, shards: Vec<(u8, Option<String>)>) -> Option<Self> {
        (!shards.is_empty()).then_some(Self { began: self.began, shards })
    }

    pub(crate) const fn began(&self) -> DateTime<Utc> {
        self.began
    }

    pub(crate) fn shards(&self) -> impl Iterator<Item = (u8, Option<String>)> {
        self.shards.iter().cloned()
    }

    /// The text form of the progress, for a cursor.
    pub(crate) fn position(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
