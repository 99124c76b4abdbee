//! What was done about orders: loaded together with the customer it was done for, in one request.

use super::{
    Item, Store, StoreError, Versioned,
    customers::read_customer,
    items::{self, AwardForm, OrderForm, RefundForm},
    keys,
};
use crate::domain::{
    customer::Customer,
    earning::{
        award::Award,
        refund::{Refund, RefundRecord},
    },
    ids::{CustomerId, OrderId, OrgId, RefundId},
};

/// Whose an order is, and what holds for all of it.
#[derive(Debug, Clone, Default)]
pub struct OrderHeader {
    /// Whose it is, from the first thing done about it that said so.
    pub owner: Option<CustomerId>,
    /// Whether it was cancelled before or after it redeemed bundles: none counts, and none will.
    pub bundles_voided: bool,
}

/// All that awarding an order depends on.
#[derive(Debug)]
pub struct AwardContext {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// Whose the order is, if anything was done about it.
    pub owner: Option<CustomerId>,
    /// The award, if it was made.
    pub award: Option<Award>,
}

/// All that refunding an order depends on.
#[derive(Debug)]
pub struct RefundContext {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// The award, if it was made.
    pub award: Option<Versioned<Award>>,
    /// Whose the order is, if anything was done about it.
    pub order: Option<OrderHeader>,
    /// What is on record under the refund's id.
    pub refund: Option<Versioned<RefundRecord>>,
}

impl Store {
    /// Loads what awarding an order depends on.
    pub async fn award_context(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<AwardContext, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::order(org, order), &keys::award(org, order)];
        let [customer, owner, award] = self.get(keys).await?;
        Ok(AwardContext {
            customer: customer.map(read_customer).transpose()?,
            owner: read_header(owner)?.unwrap_or_default().owner,
            award: award.map(read_award).transpose()?.map(|award| award.value),
        })
    }

    /// Loads what refunding an order depends on.
    pub async fn refund_context(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
        refund: &RefundId,
    ) -> Result<RefundContext, StoreError> {
        let keys = [
            &keys::customer(org, customer),
            &keys::order(org, order),
            &keys::award(org, order),
            &keys::refund(org, order, refund),
        ];
        let [customer, header, award, refund] = self.get(keys).await?;
        Ok(RefundContext {
            customer: customer.map(read_customer).transpose()?,
            order: read_header(header)?,
            award: award.map(read_award).transpose()?,
            refund: refund.map(read_refund).transpose()?,
        })
    }

    /// What is on record under a refund's id.
    pub async fn refund_record(
        &self,
        org: &OrgId,
        order: &OrderId,
        refund: &RefundId,
    ) -> Result<Option<RefundRecord>, StoreError> {
        let [record] = self.get([&keys::refund(org, order, refund)]).await?;
        Ok(record.map(read_refund).transpose()?.map(|record| record.value))
    }

    /// The refunds of an order that were made, voided ones included.
    pub async fn refunds_of_order(&self, org: &OrgId, order: &OrderId) -> Result<Vec<Refund>, StoreError> {
        const PAGE: usize = 100;
        let mut refunds = Vec::new();
        let mut start = None;
        loop {
            let query = self.query_partition(&keys::order_partition(org, order), keys::REFUND_PREFIX, PAGE);
            let answer = query.consistent_read(true).set_exclusive_start_key(start).send().await?;
            for item in answer.items.unwrap_or_default() {
                if let RefundRecord::Made(refund) = read_refund(item)?.value {
                    refunds.push(*refund);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(refunds);
            }
        }
    }
}

fn read_award(item: Item) -> Result<Versioned<Award>, StoreError> {
    items::read_versioned::<AwardForm, _>("an award", item)
}

fn read_refund(item: Item) -> Result<Versioned<RefundRecord>, StoreError> {
    items::read_versioned::<RefundForm, _>("a refund", item)
}

pub(super) fn read_header(item: Option<Item>) -> Result<Option<OrderHeader>, StoreError> {
    item.map(|item| items::read::<OrderForm, _>("an order", item)).transpose()
}
