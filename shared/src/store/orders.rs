//! What was done about orders: loaded together with the customer it was done for, in one request.

use super::{
    Item, Store, StoreError, Versioned,
    customers::read_customer,
    items::{self, AwardForm, OrderForm, RefundForm},
    keys,
};
use crate::domain::{
    award::Award,
    customer::Customer,
    ids::{CustomerId, OrderId, OrgId, RefundId},
    refund::Refund,
};

/// Whose an order is, and what holds for all of it.
#[derive(Debug, Clone, Default)]
pub struct OrderMark {
    /// Whose it is, from the first thing done about it that said so.
    pub owner: Option<CustomerId>,
    /// Whether it was cancelled before or after it redeemed bundles: none counts, and none will.
    pub bundles_voided: bool,
}

/// All that awarding an order depends on.
#[derive(Debug)]
pub struct AwardStory {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// Whose the order is, if anything was done about it.
    pub owner: Option<CustomerId>,
    /// The award, if it was made.
    pub award: Option<Award>,
}

/// All that refunding an order depends on.
#[derive(Debug)]
pub struct RefundStory {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// The award, if it was made.
    pub award: Option<Versioned<Award>>,
    /// The refund, if it was made.
    pub refund: Option<Refund>,
}

impl Store {
    /// Loads what awarding an order depends on.
    pub async fn award_story(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<AwardStory, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::order(org, order), &keys::award(org, order)];
        let [customer, owner, award] = self.get(keys).await?;
        Ok(AwardStory {
            customer: customer.map(read_customer).transpose()?,
            owner: read_mark(owner)?.unwrap_or_default().owner,
            award: award.map(read_award).transpose()?.map(|award| award.value),
        })
    }

    /// Loads what refunding an order depends on.
    pub async fn refund_story(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
        refund: &RefundId,
    ) -> Result<RefundStory, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::award(org, order), &keys::refund(org, order, refund)];
        let [customer, award, refund] = self.get(keys).await?;
        Ok(RefundStory {
            customer: customer.map(read_customer).transpose()?,
            award: award.map(read_award).transpose()?,
            refund: refund.map(|item| items::read::<RefundForm, _>("a refund", item)).transpose()?,
        })
    }
}

fn read_award(item: Item) -> Result<Versioned<Award>, StoreError> {
    items::read_versioned::<AwardForm, _>("an award", item)
}

pub(super) fn read_mark(item: Option<Item>) -> Result<Option<OrderMark>, StoreError> {
    item.map(|item| items::read::<OrderForm, _>("an order", item)).transpose()
}
