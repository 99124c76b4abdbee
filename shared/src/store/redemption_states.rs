//! What orders have redeemed, of bundles or in points: listed alike.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    HistoryRow, Item, Page, Row, Store, StoreError, Versioned,
    items::{self, RedemptionStateForm},
    keys::{self, IndexKey, Key},
    pages::{page, part, start_after},
};
use crate::domain::{ids::OrderId, redemption_state::RedemptionState, time};

/// Something that an order has redeemed, as it is stored in the form `Form`.
pub(super) trait Redeemed: Sized {
    /// How it is written.
    type Form: Serialize + DeserializeOwned + TryInto<Self, Error = &'static str>;

    /// What to call it where it can't be read.
    const WHAT: &'static str;
}

/// Reads what an order has redeemed.
pub(super) fn read_redemption_state<R: Redeemed>(item: Item) -> Result<Versioned<RedemptionState<R>>, StoreError> {
    items::read_versioned::<RedemptionStateForm<R::Form>, _>(R::WHAT, item)
}

impl Store {
    /// A page of what orders have redeemed, newest first; `key` is that of an order's claim.
    pub(super) async fn redeemed<R: Redeemed>(
        &self,
        list: &str,
        after: Option<&str>,
        limit: usize,
        key: impl Fn(&OrderId) -> Key,
    ) -> Result<Page<HistoryRow<R>>, StoreError> {
        let start = after.map(|position| {
            let (at, order) = position.split_once('#').ok_or(StoreError::InvalidPosition)?;
            let order = OrderId::try_from(order.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
            let at = time::text(time::parse(at).map_err(|_| StoreError::InvalidPosition)?);
            Ok::<_, StoreError>(start_after(&key(&order), &IndexKey { index_pk: list.to_owned(), index_sk: at }))
        });
        let query = self.query_index(list, limit).scan_index_forward(false);
        page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let order = keys::order_of(part(&item, "pk")).unwrap_or_default();
            let position = format!("{}#{order}", part(&item, "at"));
            let read = read_redemption_state::<R>(item.clone()).and_then(|claim| match claim.value {
                RedemptionState::Redeemed(value) => Ok(value),
                RedemptionState::VoidedBefore => Err(StoreError::unreadable(R::WHAT, "the mark of a void is listed")),
            });
            Ok(Row { value: HistoryRow::of(read, || items::unread_redemption(&item)), position })
        })
        .await
    }
}
