//! How far a run is: where each shard of the due index goes on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::{
    domain::{rejection::Rejection, time},
    store::DUE_SHARDS,
};

/// A run, as it begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunProgress {
    /// When the run began: what falls due later is the next run's.
    #[serde(serialize_with = "time::serialize")]
    began: DateTime<Utc>,
    /// The shards that are not done yet, and where each goes on; from its beginning without a position.
    shards: Vec<(u8, Option<String>)>,
}

impl RunProgress {
    /// A run that begins now.
    pub(crate) fn begin(now: DateTime<Utc>) -> Self {
        Self { began: now, shards: (0..DUE_SHARDS).map(|shard| (shard, None)).collect() }
    }

    /// The run that a cursor of an earlier call names. It began before now: what is yet to come goes on no record.
    pub(crate) fn read(position: &str, now: DateTime<Utc>) -> Result<Self, Rejection> {
        let read: Self = serde_json::from_str(position).map_err(|_| Rejection::InvalidCursor)?;
        let rising = read.shards.is_sorted_by(|(one, _), (next, _)| one < next);
        let known = read.shards.iter().all(|(shard, _)| *shard < DUE_SHARDS);
        if rising && known && read.began <= now { Ok(read) } else { Err(Rejection::InvalidCursor) }
    }

    /// The same run, of which these shards are left; `None`: it is done.
    pub(crate) fn left(&self, shards: Vec<(u8, Option<String>)>) -> Option<Self> {
        (!shards.is_empty()).then_some(Self { began: self.began, shards })
    }

    pub(crate) const fn began(&self) -> DateTime<Utc> {
        self.began
    }

    pub(crate) fn shards(&self) -> impl Iterator<Item = (u8, Option<String>)> {
        self.shards.iter().cloned()
    }

    /// As a cursor names it.
    pub(crate) fn position(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
