//! What is on record of sweeps over all orgs: how far one is that had to stop, for those who can't hand a cursor on, and when
//! the last one ended, for those who watch that they go on.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata, operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue,
};
use chrono::{DateTime, Utc};

use super::{
    Store, StoreError,
    keys::{self, Key, text},
};
use crate::domain::time;

const POSITION: &str = "position";
const ENDED: &str = "ended";

const NOT_OUTLASTED: &str = "attribute_not_exists(ended) OR ended <= :new";

/// One that began later is not put back by one that began before.
const NOT_OUTDONE: &str = "attribute_not_exists(began) OR began <= :new";

impl Store {
    /// Where the last sweep by this operation goes on, if it has not ended.
    pub async fn sweep_position(&self, operation: &str) -> Result<Option<String>, StoreError> {
        let [item] = self.get([&keys::sweep(operation)]).await?;
        Ok(item.and_then(|item| item.get(POSITION)?.as_s().ok().cloned()))
    }

    /// Keeps where a sweep that began then goes on (`None`: it has ended), unless one that began later has said so.
    pub async fn keep_sweep_position(
        &self,
        operation: &str,
        began: DateTime<Utc>,
        position: Option<&str>,
    ) -> Result<(), StoreError> {
        let update = self.update_unless(&keys::sweep(operation), NOT_OUTDONE, text(&time::text(began)));
        self.unless_outdone(
            match position {
                Some(position) => {
                    let update = update.update_expression("SET began = :new, #position = :position");
                    update.expression_attribute_values(":position", text(position))
                }
                None => update.update_expression("SET began = :new REMOVE #position"),
            }
            // `position` is a reserved word.
            .expression_attribute_names("#position", POSITION),
        )
        .await
    }

    /// Puts on record when a sweep by this operation ended, unless a later one has.
    pub async fn end_sweep(&self, operation: &str, ended: DateTime<Utc>) -> Result<(), StoreError> {
        let update = self.update_unless(&keys::sweep_ended(operation), NOT_OUTLASTED, text(&time::text(ended)));
        self.unless_outdone(update.update_expression("SET ended = :new")).await
    }

    /// An update of an item, not a put: attributes that are not known here stay.
    fn update_unless(&self, key: &Key, condition: &str, new: AttributeValue) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(self.table.as_ref()).set_key(Some(key.to_item()));
        update.condition_expression(condition).expression_attribute_values(":new", new)
    }

    async fn unless_outdone(&self, update: UpdateItemFluentBuilder) -> Result<(), StoreError> {
        match update.send().await {
            Err(error) if error.code() != Some("ConditionalCheckFailedException") => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Since when the next sweep by each of some operations is waited for: when the last one ended, or, before the first,
    /// when this was first asked, which is put on record.
    pub async fn sweeps_waited_for<const N: usize>(
        &self,
        operations: [&str; N],
        now: DateTime<Utc>,
    ) -> Result<[DateTime<Utc>; N], StoreError> {
        let keys = operations.map(keys::sweep_ended);
        let found = self.get(keys.each_ref()).await?;
        let mut since = [now; N];
        for ((operation, item), since) in operations.into_iter().zip(found).zip(&mut since) {
            match item {
                // The state machine writes the clock of its own service, with as many decimals as that gives.
                Some(item) => {
                    let ended = item.get(ENDED).and_then(|ended| time::parse(ended.as_s().ok()?).ok());
                    *since =
                        ended.ok_or_else(|| StoreError::Broken(format!("when {operation} ended can't be read")))?;
                }
                None => self.end_sweep(operation, now).await?,
            }
        }
        Ok(since)
    }
}
