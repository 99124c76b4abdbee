//! Adjustments of points by an operator.

use super::{
    customers::read_customer,
    error::StoreError,
    items::{adjustment::AdjustmentForm, form},
    keys,
    table::{Store, Versioned},
    transact::Transaction,
};
use crate::domain::{
    customer::Customer,
    earning::adjustment::Adjustment,
    ids::{AdjustmentId, CustomerId, OrgId},
};

impl Store {
    /// A customer, and the record of an adjustment if it was made.
    pub async fn customer_and_adjustment(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        adjustment: &AdjustmentId,
    ) -> Result<(Option<Versioned<Customer>>, Option<Adjustment>), StoreError> {
        let keys = [&keys::customer(org, customer), &keys::adjustment(org, customer, adjustment)];
        let [customer, record] = self.get(keys).await?;
        let record = record.map(|item| form::read::<AdjustmentForm, _>("an adjustment", item));
        Ok((customer.map(read_customer).transpose()?, record.transpose()?))
    }
}

impl Transaction<'_> {
    /// Records an adjustment, which must not be recorded yet.
    pub fn record_adjustment(&mut self, customer: &CustomerId, adjustment: &Adjustment) -> Result<(), StoreError> {
        let key = keys::adjustment(&self.org.id, customer, &adjustment.id);
        self.create(&key, None, &AdjustmentForm::from(adjustment))
    }
}
