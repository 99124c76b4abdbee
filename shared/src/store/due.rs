//! The items that are due: bundles whose status is about to change, and time zone changes.

use chrono::{DateTime, Utc};

use super::{
    attributes::{Item, text, text_attribute},
    bundles::{ListedBundle, read_listed_bundle},
    error::StoreError,
    keys::{self, IndexKey, Key},
    pages::{fetch_page, start_after},
    rows::{Page, Row},
    table::Store,
    time_zone_changes::TimeZoneChange,
};
use crate::domain::{ids::OrgId, time};

/// A due item of an org.
#[derive(Debug, Clone)]
pub struct Due {
    /// The org.
    pub org: OrgId,
    /// The item.
    pub item: DueItem,
}

/// An item that can be due.
#[derive(Debug, Clone)]
pub enum DueItem {
    /// A bundle as the index has it. The index may lag behind the bundle.
    Bundle(ListedBundle),
    /// All bundles of an org whose time zone has changed.
    TimeZoneChange(TimeZoneChange),
}

impl Store {
    /// A page of the items of one shard that are due at an instant, oldest first.
    pub async fn due(
        &self,
        shard: u8,
        until: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Due>, StoreError> {
        let index_pk = keys::due_index_pk(shard);
        let start = after.map(|position| start_key(&index_pk, until, position)).transpose()?;
        let query = self
            .query_index(&index_pk, limit)
            .key_condition_expression("#list = :list AND #at <= :until")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":until", text(&time::text(until)));
        fetch_page(query.set_exclusive_start_key(start), |item| {
            let position = ["at", "pk", "sk"].map(|name| text_attribute(&item, name));
            let position = serde_json::json!(position).to_string();
            Ok(Row { value: read_due(item)?, position })
        })
        .await
    }
}

/// The start key of a page after a position among the items of one shard.
fn start_key(index_pk: &str, until: DateTime<Utc>, position: &str) -> Result<Item, StoreError> {
    let [at, pk, sk] = serde_json::from_str::<[String; 3]>(position).map_err(|_| StoreError::InvalidPosition)?;
    let is_due = time::parse(&at).is_ok_and(|parsed| time::text(parsed) == at && parsed <= until);
    keys::parse_due_key(&pk, &sk).filter(|_| is_due).ok_or(StoreError::InvalidPosition)?;
    let index_key = IndexKey { index_pk: index_pk.to_owned(), index_sk: at };
    Ok(start_after(&Key { pk, sk }, &index_key))
}

fn read_due(item: Item) -> Result<Due, StoreError> {
    let (pk, sk) = (text_attribute(&item, "pk"), text_attribute(&item, "sk"));
    let (org, bundle) = keys::parse_due_key(pk, sk).ok_or_else(|| StoreError::unreadable("a due item's key", sk))?;
    let item = match bundle {
        None => DueItem::TimeZoneChange(TimeZoneChange(text_attribute(&item, "at").to_owned())),
        Some(bundle) => DueItem::Bundle(read_listed_bundle(bundle, item)),
    };
    Ok(Due { org, item })
}
