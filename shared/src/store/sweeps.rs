//! Sweeps over all orgs: the position of a sweep that stopped before its end, and the end of the last sweep.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata, operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue,
};
use chrono::{DateTime, Utc};

use super::{
    attributes::text,
    error::StoreError,
    keys::{self, Key},
    table::Store,
    zone_rules::{ZoneMarking, zone_marking},
};
use crate::domain::time;

const POSITION: &str = "position";
const ENDED: &str = "ended";

/// The recorded end does not move back in time.
const NO_LATER_END: &str = "attribute_not_exists(ended) OR ended <= :new";

/// A sweep does not replace the position of a sweep that began later.
const NO_LATER_BEGINNING: &str = "attribute_not_exists(began) OR began <= :new";

/// The state that the most frequent job watches in addition to due items.
#[derive(Debug)]
pub struct SweepWatch<const N: usize> {
    /// For each operation, the time since which its next sweep is awaited.
    pub waited_since: [DateTime<Utc>; N],
    /// The marking to continue, if the zone rules of this process are newer than the rules by which bundles are
    /// evaluated.
    pub zone_marking: Option<ZoneMarking>,
}

impl Store {
    /// The position at which the last sweep of an operation stopped. Returns `None` if the sweep has ended.
    pub async fn sweep_position(&self, operation: &str) -> Result<Option<String>, StoreError> {
        let [item] = self.get([&keys::sweep_position(operation)]).await?;
        Ok(item.and_then(|item| item.get(POSITION)?.as_s().ok().cloned()))
    }

    /// Saves the position of a sweep that began at `began`, unless a later sweep has saved a position. The position
    /// `None` means that the sweep has ended.
    pub async fn save_sweep_position(
        &self,
        operation: &str,
        began: DateTime<Utc>,
        position: Option<&str>,
    ) -> Result<(), StoreError> {
        let key = keys::sweep_position(operation);
        let update = self.conditional_update(&key, NO_LATER_BEGINNING, text(&time::text(began)));
        let update = match position {
            Some(position) => {
                let update = update.update_expression("SET began = :new, #position = :position");
                update.expression_attribute_values(":position", text(position))
            }
            None => update.update_expression("SET began = :new REMOVE #position"),
        };
        // `position` is a reserved word.
        send_unless_superseded(update.expression_attribute_names("#position", POSITION)).await
    }

    /// Records the end of a sweep, unless a later end is recorded.
    pub async fn record_sweep_end(&self, operation: &str, ended: DateTime<Utc>) -> Result<(), StoreError> {
        let key = keys::sweep_end(operation);
        let update = self.conditional_update(&key, NO_LATER_END, text(&time::text(ended)));
        send_unless_superseded(update.update_expression("SET ended = :new")).await
    }

    /// An update keeps attributes that this release does not know. A put would remove them.
    fn conditional_update(&self, key: &Key, condition: &str, new: AttributeValue) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(self.table.as_ref()).set_key(Some(key.to_item()));
        update.condition_expression(condition).expression_attribute_values(":new", new)
    }

    /// The time since which the next sweep of each operation is awaited: the end of its last sweep. Before the end of
    /// the first sweep, it is the time of the first call of this function. The first call records that time. The same
    /// read returns the marking for newer zone rules.
    pub async fn sweep_watch<const N: usize>(
        &self,
        operations: [&str; N],
        now: DateTime<Utc>,
    ) -> Result<SweepWatch<N>, StoreError> {
        let (ends, zone_rules) = (operations.map(keys::sweep_end), keys::zone_rules());
        let wanted: Vec<_> = ends.iter().chain([&zone_rules]).collect();
        let found = self.get_all(&wanted).await?;
        let item = |key: &Key| found.iter().find(|item| key.is_of(item));
        let mut waited_since = [now; N];
        for ((operation, key), since) in operations.into_iter().zip(&ends).zip(&mut waited_since) {
            match item(key) {
                // The state machine writes the clock of its own service, with any number of decimals.
                Some(item) => {
                    let ended = item.get(ENDED).and_then(|ended| time::parse(ended.as_s().ok()?).ok());
                    *since = ended.ok_or_else(|| {
                        StoreError::broken(format!("the end of the sweep {operation} cannot be read"))
                    })?;
                }
                None => self.record_sweep_end(operation, now).await?,
            }
        }
        let is_first_call = wanted.iter().all(|key| item(key).is_none());
        let zone_marking = match zone_marking(item(&zone_rules)) {
            // In a new table, no bundle was evaluated by older rules.
            Some(_) if is_first_call => {
                self.save_zone_marking(None).await?;
                None
            }
            marking => marking,
        };
        Ok(SweepWatch { waited_since, zone_marking })
    }
}

/// Sends an update. A failed condition means that a later sweep has written the item, and is not an error.
async fn send_unless_superseded(update: UpdateItemFluentBuilder) -> Result<(), StoreError> {
    match update.send().await {
        Err(error) if error.code() != Some("ConditionalCheckFailedException") => Err(error.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}
