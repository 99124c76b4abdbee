//! How far a sweep over all orgs is that had to stop: kept for those who can't hand a cursor on.

use super::{Store, StoreError, keys, keys::text};

/// The attribute that holds the position.
const POSITION: &str = "position";

impl Store {
    /// Where the last sweep by this operation goes on, if it has not ended.
    pub async fn sweep_position(&self, operation: &str) -> Result<Option<String>, StoreError> {
        let [item] = self.get([&keys::sweep(operation)]).await?;
        Ok(item.and_then(|item| item.get(POSITION)?.as_s().ok().cloned()))
    }

    /// Keeps where a sweep goes on; `None`: it has ended.
    pub async fn keep_sweep_position(&self, operation: &str, position: Option<&str>) -> Result<(), StoreError> {
        let (table, key) = (self.table.as_ref(), keys::sweep(operation).to_item());
        match position {
            Some(position) => {
                let put = self.client.put_item().table_name(table).set_item(Some(key)).item(POSITION, text(position));
                put.send().await?;
            }
            None => drop(self.client.delete_item().table_name(table).set_key(Some(key)).send().await?),
        }
        Ok(())
    }
}
