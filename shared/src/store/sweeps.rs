//! How far a sweep over all orgs is that had to stop: kept for those who can't hand a cursor on.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use chrono::{DateTime, Utc};

use super::{Store, StoreError, keys, keys::text};
use crate::domain::time;

const POSITION: &str = "position";
const BEGAN: &str = "began";

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
}

fn is_outdone(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}
