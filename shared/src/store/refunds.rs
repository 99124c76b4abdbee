//! Refunds of orders, and their voids.

use super::{
    attributes::Item,
    awards::read_award,
    customers::read_customer,
    error::StoreError,
    items::refund::RefundForm,
    keys,
    order_headers::read_header,
    table::{Store, Versioned},
    transact::Transaction,
};
use crate::domain::{
    customer::Customer,
    earning::{
        award::Award,
        refund::{Refund, RefundRecord},
    },
    ids::{CustomerId, OrderId, OrgId, RefundId},
    orders::OrderHeader,
};

/// The stored values on which a refund depends.
#[derive(Debug)]
pub struct RefundContext {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// The award of the order, if it was made.
    pub award: Option<Versioned<Award>>,
    /// The header of the order, if the order is known.
    pub order: Option<OrderHeader>,
    /// The record under the refund's id.
    pub refund: Option<Versioned<RefundRecord>>,
}

impl Store {
    /// Loads the values on which a refund depends.
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

    /// The record under a refund's id.
    pub async fn refund_record(
        &self,
        org: &OrgId,
        order: &OrderId,
        refund: &RefundId,
    ) -> Result<Option<RefundRecord>, StoreError> {
        let [record] = self.get([&keys::refund(org, order, refund)]).await?;
        Ok(record.map(read_refund).transpose()?.map(|record| record.value))
    }

    /// The refunds of an order, including voided refunds.
    pub async fn refunds_of_order(&self, org: &OrgId, order: &OrderId) -> Result<Vec<Refund>, StoreError> {
        self.read_partition(&keys::order_partition(org, order), keys::REFUND_PREFIX, |item| {
            Ok(match read_refund(item)?.value {
                RefundRecord::Made(refund) => Some(*refund),
                RefundRecord::VoidedBefore => None,
            })
        })
        .await
    }
}

fn read_refund(item: Item) -> Result<Versioned<RefundRecord>, StoreError> {
    Versioned::read::<RefundForm>("a refund", item)
}

impl Transaction<'_> {
    /// Records a refund, which must not be recorded yet. Replaces the award that was read as `before`.
    pub fn record_refund(
        &mut self,
        refund: &Refund,
        award: &Award,
        before: &Versioned<Award>,
    ) -> Result<(), StoreError> {
        self.replace_award(award, before)?;
        self.create(&keys::refund(&self.org.id, &award.order.id, &refund.id), None, &RefundForm::made(refund, 1))
    }

    /// Records the void of the refund that was read as `before`. Replaces the award that was read as `award_before`.
    pub fn record_refund_void(
        &mut self,
        refund: &Refund,
        before: &Versioned<RefundRecord>,
        award: &Award,
        award_before: &Versioned<Award>,
    ) -> Result<(), StoreError> {
        self.replace_award(award, award_before)?;
        let key = keys::refund(&self.org.id, &award.order.id, &refund.id);
        self.replace(&key, None, &RefundForm::made(refund, before.next_version()), before)
    }

    /// Marks that a refund, which must not be recorded yet, can no longer be made. `is_known_order` is whether the
    /// order has a header.
    pub fn block_refund(&mut self, order: &OrderId, refund: &RefundId, is_known_order: bool) -> Result<(), StoreError> {
        let key = keys::refund(&self.org.id, order, refund);
        self.create(&key, None, &RefundForm::voided_before(refund))?;
        self.list_order(order, is_known_order)
    }
}
