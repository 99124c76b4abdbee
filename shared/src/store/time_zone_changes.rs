//! Marks of time zone changes. A mark stays until all bundles of the org are evaluated by the new time zone.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    attributes::text,
    error::StoreError,
    items::time_zone_change::TimeZoneChangeForm,
    keys,
    table::Store,
    transact::{Change, Transaction},
};
use crate::domain::{org::Org, zone::Zone};

/// The delay after which a mark is due. It exceeds the time for which another process may cache the old time zone, plus
/// the time of a call.
const MARK_DELAY: TimeDelta = TimeDelta::minutes(2);

/// The mark of a time zone change, by its sort key in the index. A later change replaces the sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneChange(pub(super) String);

impl Store {
    /// Removes a mark, unless the time zone has changed again.
    pub async fn complete_time_zone_change(&self, org: &Org, change: &TimeZoneChange) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        let is_same = Change::default().require("at", "=", text(&change.0));
        transaction.delete(&keys::time_zone_change(&org.id), is_same)?;
        transaction.commit().await
    }
}

impl Transaction<'_> {
    /// Marks that the org's time zone has changed at `now`. The mark is due once no call uses the old time zone any
    /// more.
    pub(super) fn record_time_zone_change(&mut self, zone: Zone, now: DateTime<Utc>) -> Result<(), StoreError> {
        let org = &self.org.id;
        let index_key = keys::time_zone_change_index_key(org, now + MARK_DELAY);
        self.upsert(&keys::time_zone_change(org), Some(&index_key), &TimeZoneChangeForm::new(zone), None)
    }
}
