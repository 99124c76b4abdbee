//! The release of the zone rules by which bundles are evaluated.
//!
//! When a release with newer rules starts, all orgs are marked one after another, so that their bundles are evaluated
//! again. The item of the zone rules stores the position of the marking.

use chrono::{DateTime, Utc};

use super::{
    attributes::{Item, text},
    error::StoreError,
    keys,
    table::Store,
    transact::Change,
};
use crate::domain::{ids::OrgId, org::Org, zone};

const MARKED: &str = "marked";
const MARKING: &str = "marking";
const AFTER: &str = "after";

/// The position of the marking of all orgs for newer zone rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneMarking {
    /// The last marked org. `None` if no org is marked yet.
    pub after: Option<OrgId>,
}

impl Store {
    /// Marks an org, which must still exist. The job then evaluates all its bundles again, as after a time zone change.
    pub async fn mark_org_for_zone_rules(&self, org: &Org, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.record_time_zone_change(org.profile.timezone, now)?;
        transaction.check(&keys::org(&org.id), Change::default().require_present("version"))?;
        transaction.commit().await
    }

    /// Saves the position of the marking for the zone rules of this process. `None` means that all orgs are marked.
    pub async fn save_zone_marking(&self, marking: Option<&ZoneMarking>) -> Result<(), StoreError> {
        let (key, release) = (keys::zone_rules().to_item(), text(zone::data_version()));
        let update = self.client.update_item().table_name(self.table.as_ref()).set_key(Some(key));
        let update = if let Some(ZoneMarking { after }) = marking {
            let after = text(after.as_ref().map_or("", OrgId::as_str));
            let update = update.update_expression("SET marking = :data, #after = :after");
            update.expression_attribute_values(":after", after)
        } else {
            update.update_expression("SET marked = :data REMOVE marking, #after")
        };
        let update = update.expression_attribute_names("#after", AFTER);
        update.expression_attribute_values(":data", release).send().await.map(drop).map_err(Into::into)
    }
}

/// The marking to continue, according to the item of the zone rules. Returns `None` if bundles are evaluated by the
/// zone rules of this process or by newer rules.
pub(super) fn zone_marking(item: Option<&Item>) -> Option<ZoneMarking> {
    let attribute = |name: &str| Some(item?.get(name)?.as_s().ok()?.as_str());
    let release = zone::data_version();
    // The names of releases sort in their order. A process with older rules leaves the marking of newer rules alone.
    let is_newer = |name: &str| attribute(name).is_some_and(|stored| stored > release);
    if attribute(MARKED).is_some_and(|marked| marked >= release) || is_newer(MARKING) {
        return None;
    }
    let is_begun = attribute(MARKING) == Some(release);
    let after = attribute(AFTER).filter(|_| is_begun).and_then(|after| OrgId::try_from(after.to_owned()).ok());
    Some(ZoneMarking { after })
}
