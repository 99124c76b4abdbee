//! The part that the records of bundle redemptions and of points redemptions share.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    attributes::{Item, text_attribute},
    error::StoreError,
    items::redemption_state::{RedemptionStateForm, unread_redemption},
    keys::{self, IndexKey, Key},
    pages::{fetch_page, index_position, parse_index_position, start_after},
    rows::{HistoryRow, Page, Row},
    table::{Store, Versioned},
};
use crate::domain::{ids::OrderId, redemption_state::RedemptionState, time};

/// A redemption of an order that is stored in a [`RedemptionStateForm`].
pub(super) trait StoredRedemption: Sized {
    /// The stored form of the redemption.
    type Form: Serialize + DeserializeOwned + TryInto<Self, Error = &'static str>;

    /// The name of the redemption in errors.
    const RECORD: &'static str;
}

pub(super) fn read_redemption_state<R: StoredRedemption>(
    item: Item,
) -> Result<Versioned<RedemptionState<R>>, StoreError> {
    Versioned::read::<RedemptionStateForm<R::Form>>(R::RECORD, item)
}

/// Reads a listed redemption. The mark of a void that came first is never listed.
pub(super) fn read_listed_redemption<R: StoredRedemption>(item: Item) -> Result<R, StoreError> {
    match read_redemption_state::<R>(item)?.value {
        RedemptionState::Redeemed(redemption) => Ok(redemption),
        RedemptionState::VoidedBefore => Err(StoreError::unreadable(R::RECORD, "the mark of a void is listed")),
    }
}

impl Store {
    /// A page of a list of redemptions, newest first. `key` returns the key of an order's redemption.
    pub(super) async fn redemptions<R: StoredRedemption>(
        &self,
        index_pk: &str,
        after: Option<&str>,
        limit: usize,
        key: impl Fn(&OrderId) -> Key,
    ) -> Result<Page<HistoryRow<R>>, StoreError> {
        let start = after.map(|position| {
            let (at, order) = parse_index_position::<OrderId>(position)?;
            let at = time::text(time::parse(at).map_err(|_| StoreError::InvalidPosition)?);
            let index_key = IndexKey { index_pk: index_pk.to_owned(), index_sk: at };
            Ok::<_, StoreError>(start_after(&key(&order), &index_key))
        });
        let query = self.query_index(index_pk, limit).scan_index_forward(false);
        fetch_page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let order = keys::order_of(text_attribute(&item, "pk")).unwrap_or_default();
            let position = index_position(&item, order);
            let read = read_listed_redemption::<R>(item.clone());
            Ok(Row { value: HistoryRow::from_read(read, || unread_redemption(&item)), position })
        })
        .await
    }
}
