//! Order headers: the customer of an order, and whether the whole order is void.

use chrono::{DateTime, Utc};

use super::{
    attributes::{Item, text},
    error::StoreError,
    items::{form, order_header::OrderHeaderForm},
    keys::{self, IndexKey},
    table::Store,
    transact::{Change, Transaction},
};
use crate::domain::{
    ids::{CustomerId, OrderId, OrgId},
    orders::OrderHeader,
    time,
};

impl Store {
    /// The header of an order. Returns `None` if the order is unknown.
    pub async fn order_header(&self, org: &OrgId, order: &OrderId) -> Result<Option<OrderHeader>, StoreError> {
        let [header] = self.get([&keys::order(org, order)]).await?;
        read_header(header)
    }
}

pub(super) fn read_header(item: Option<Item>) -> Result<Option<OrderHeader>, StoreError> {
    item.map(|item| form::read::<OrderHeaderForm, _>("an order header", item)).transpose()
}

/// The instant of the state in which an order was cancelled before its award.
const CANCELLED_AS_OF: &str = "cancelledAsOf";

/// Requires that the order was not cancelled since it was read as `before`.
fn require_cancellation(change: Change, before: Option<&OrderHeader>) -> Change {
    match before.and_then(|before| before.cancelled_as_of) {
        Some(as_of) => change.require(CANCELLED_AS_OF, "=", text(&time::text(as_of))),
        None => change.require_absent(CANCELLED_AS_OF),
    }
}

impl Transaction<'_> {
    /// Records the customer of an order, which must not have a recorded customer yet.
    pub fn record_order_owner(&mut self, order: &OrderId, customer: &CustomerId) -> Result<(), StoreError> {
        let change = self.order_change(order).set("customerId", text(customer.as_str())).require_absent("customerId");
        self.update(&keys::order(&self.org.id, order), change)
    }

    /// Records the customer of an order, unless `before` has one, and requires that the order was not cancelled since it
    /// was read as `before`.
    pub fn record_order_of_award(
        &mut self,
        order: &OrderId,
        customer: &CustomerId,
        before: Option<&OrderHeader>,
    ) -> Result<(), StoreError> {
        let (key, change) = (keys::order(&self.org.id, order), self.order_change(order));
        let change = require_cancellation(change, before);
        if before.is_none_or(|before| before.owner.is_none()) {
            self.update(&key, change.set("customerId", text(customer.as_str())).require_absent("customerId"))
        } else if self.org.disposable {
            self.update(&key, change)
        } else {
            self.check(&key, change)
        }
    }

    /// Marks that an order, which must not be awarded, was cancelled. The order must be as it was read as `before`.
    pub fn mark_cancelled(
        &mut self,
        order: &OrderId,
        as_of: DateTime<Utc>,
        before: Option<&OrderHeader>,
    ) -> Result<(), StoreError> {
        let change = require_cancellation(self.order_change(order), before);
        self.update(&keys::order(&self.org.id, order), change.set(CANCELLED_AS_OF, text(&time::text(as_of))))?;
        self.check(&keys::award(&self.org.id, order), Change::default().require_absent("pk"))
    }

    /// Lists an order of a disposable org, so that the deletion of the org finds the order. Writes nothing in another
    /// org.
    ///
    /// A known order is listed again, because the deletion may just have removed the order from the list. The recorded
    /// customer does not change.
    pub fn list_order(&mut self, order: &OrderId, is_known: bool) -> Result<(), StoreError> {
        if !self.org.disposable {
            return Ok(());
        }
        let change = self.order_change(order);
        let change = if is_known { change } else { change.require_absent("pk") };
        self.update(&keys::order(&self.org.id, order), change)
    }

    /// Marks that an order can no longer redeem any bundle. The customer of the order must still be `owner`. An order
    /// without a customer stays without one.
    pub fn block_bundle_redemptions(&mut self, order: &OrderId, owner: Option<&CustomerId>) -> Result<(), StoreError> {
        let change = self.order_change(order).set("bundlesVoided", form::attribute(&true)?);
        let change = match owner {
            Some(owner) => change.require("customerId", "=", text(owner.as_str())),
            None => change.require_absent("customerId"),
        };
        self.update(&keys::order(&self.org.id, order), change)
    }

    /// Starts a change of an order header. In a disposable org, the change lists the order, so that the deletion of the
    /// org finds it.
    pub(super) fn order_change(&self, order: &OrderId) -> Change {
        let index_key = IndexKey { index_pk: keys::orders_index_pk(&self.org.id), index_sk: order.to_string() };
        if self.org.disposable { Change::default().index_key(Some(&index_key)) } else { Change::default() }
    }
}
