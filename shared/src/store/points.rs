//! Points that orders were paid with.

use super::{
    OrderMark, Page, Row, Store, StoreError, Transaction, Versioned,
    customers::read_customer,
    items::{self, SpendingForm},
    keys,
    orders::read_mark,
    pages::{after_place, page},
    transact::Condition,
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId, OrgId},
    redemption::{Redemption, Spending},
    time,
};

/// All that redeeming points for an order depends on, and voiding it.
#[derive(Debug)]
pub struct SpendingStory {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// What holds for all of the order, if anything was done about it.
    pub order: Option<OrderMark>,
    /// What the order has to do with points.
    pub spending: Option<Versioned<Spending>>,
}

impl Store {
    /// Loads what redeeming points for an order depends on.
    pub async fn spending_story(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<SpendingStory, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::order(org, order), &keys::spending(org, order)];
        let [customer, order, spending] = self.get(keys).await?;
        Ok(SpendingStory {
            customer: customer.map(read_customer).transpose()?,
            order: read_mark(order)?,
            spending: spending.map(read_spending).transpose()?,
        })
    }

    /// A page of a customer's redemptions, newest first.
    pub async fn spendings(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Redemption>, StoreError> {
        let start = after.map(|position| {
            let (at, order) = position.split_once('#').ok_or(StoreError::Position)?;
            let order = OrderId::try_from(order.to_owned()).map_err(|_| StoreError::Position)?;
            let at = time::parse(at).map_err(|_| StoreError::Position)?;
            Ok::<_, StoreError>(after_place(&keys::spending(org, &order), &keys::spending_place(org, customer, at)))
        });
        let query = self.query_list(&keys::spendings_list(org, customer), limit).scan_index_forward(false);
        page(query.set_exclusive_start_key(start.transpose()?), |item| match read_spending(item)?.value {
            Spending::Redeemed(value) => {
                let position = format!("{}#{}", time::text(value.redeemed_at), value.order);
                Ok(Row { value, position })
            }
            Spending::VoidedBefore => Err(StoreError::unreadable("a redemption", "the mark of a void is listed")),
        })
        .await
    }
}

fn read_spending(item: super::Item) -> Result<Versioned<Spending>, StoreError> {
    items::read::<SpendingForm, _>("a redemption of points", item)
}

impl Transaction<'_> {
    /// Records a redemption of points: the first of its order, or one that must still be at `version`.
    pub fn record_spending(&mut self, redemption: &Redemption, version: Option<u64>) -> Result<(), StoreError> {
        let org = &self.org.id;
        let place = keys::spending_place(org, &redemption.customer, redemption.redeemed_at);
        let form = SpendingForm::new(Some(redemption), version.unwrap_or(0).saturating_add(1));
        let condition = version.map_or(Condition::Absent, Condition::Version);
        self.put(&keys::spending(org, &redemption.order), Some(&place), &form, condition)
    }

    /// Marks that an order won't be paid with points any more that was not yet.
    pub fn mark_unspendable(&mut self, order: &OrderId) -> Result<(), StoreError> {
        let key = keys::spending(&self.org.id, order);
        self.put(&key, None, &SpendingForm::new(None, 1), Condition::Absent)
    }
}
