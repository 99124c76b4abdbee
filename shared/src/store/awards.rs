//! Awards of points for orders.

use super::{
    attributes::Item,
    customers::read_customer,
    error::StoreError,
    items::award::AwardForm,
    keys,
    order_headers::read_header,
    table::{Store, Versioned},
    transact::Transaction,
};
use crate::domain::{
    customer::Customer,
    earning::award::Award,
    ids::{CustomerId, OrderId, OrgId},
    orders::OrderHeader,
};

/// The stored values on which an award, or its amendment, depends.
#[derive(Debug)]
pub struct AwardContext {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// The header of the order, if the order is known.
    pub order: Option<OrderHeader>,
    /// The award of the order, if it was made.
    pub award: Option<Versioned<Award>>,
}

impl Store {
    /// Loads the values on which an award, or its amendment, depends.
    pub async fn award_context(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<AwardContext, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::order(org, order), &keys::award(org, order)];
        let [customer, header, award] = self.get(keys).await?;
        Ok(AwardContext {
            customer: customer.map(read_customer).transpose()?,
            order: read_header(header)?,
            award: award.map(read_award).transpose()?,
        })
    }

    /// The award of an order.
    pub async fn award(&self, org: &OrgId, order: &OrderId) -> Result<Option<Versioned<Award>>, StoreError> {
        let [award] = self.get([&keys::award(org, order)]).await?;
        award.map(read_award).transpose()
    }
}

pub(super) fn read_award(item: Item) -> Result<Versioned<Award>, StoreError> {
    Versioned::read::<AwardForm>("an award", item)
}

impl Transaction<'_> {
    /// Records an award, which must not be recorded yet.
    pub fn record_award(&mut self, award: &Award) -> Result<(), StoreError> {
        let key = keys::award(&self.org.id, &award.order.id);
        self.create(&key, None, &AwardForm::new(award, 1))
    }

    /// Replaces the award that was read as `before`.
    pub fn replace_award(&mut self, award: &Award, before: &Versioned<Award>) -> Result<(), StoreError> {
        let key = keys::award(&self.org.id, &award.order.id);
        self.replace(&key, None, &AwardForm::new(award, before.next_version()), before)
    }
}
