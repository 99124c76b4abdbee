//! What is on record of sweeps over all orgs: how far one is that had to stop, for those who can't hand a cursor on, and when
//! the last one ended, for those who watch that they go on.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use chrono::{DateTime, Utc};

use super::{Store, StoreError, keys, keys::text};
use crate::domain::time;

const POSITION: &str = "position";
const BEGAN: &str = "began";
const ENDED: &str = "ended";

const NOT_OUTLASTED: &str = "attribute_not_exists(ended) OR ended <= :ended";

/// One that began later is not put back by one that began before.
const NOT_OUTDONE: &str = "attribute_not_exists(began) OR began <= :began";

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
        let (table, key, began) = (self.table.as_ref(), keys::sweep(operation).to_item(), text(&time::text(began)));
        let outcome = if let Some(position) = position {
            let put = self.client.put_item().table_name(table).set_item(Some(key));
            let put = put.item(POSITION, text(position)).item(BEGAN, began.clone());
            let put = put.condition_expression(NOT_OUTDONE).expression_attribute_values(":began", began);
            put.send().await.map(drop).map_err(|error| (is_outdone(&error), error.into()))
        } else {
            let delete = self.client.delete_item().table_name(table).set_key(Some(key));
            let delete = delete.condition_expression(NOT_OUTDONE).expression_attribute_values(":began", began);
            delete.send().await.map(drop).map_err(|error| (is_outdone(&error), error.into()))
        };
        match outcome {
            Ok(()) | Err((true, _)) => Ok(()),
            Err((false, error)) => Err(error),
        }
    }

    /// Puts on record when a sweep by this operation ended, unless a later one has.
    pub async fn end_sweep(&self, operation: &str, ended: DateTime<Utc>) -> Result<(), StoreError> {
        let (key, ended) = (keys::sweep_ended(operation).to_item(), text(&time::text(ended)));
        let put = self.client.put_item().table_name(self.table.as_ref()).set_item(Some(key)).item(ENDED, ended.clone());
        let put = put.condition_expression(NOT_OUTLASTED).expression_attribute_values(":ended", ended);
        match put.send().await {
            Err(error) if !is_outdone(&error) => Err(error.into()),
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

fn is_outdone(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}
