//! Points that orders were paid with.

use super::{
    HistoryRow, OrderMark, Page, Store, StoreError, Transaction, Versioned,
    claims::{Redeemed, read_claim},
    customers::read_customer,
    items::{ClaimForm, SpendingForm},
    keys,
    orders::read_mark,
};
use crate::domain::{
    claim::Claim,
    customer::Customer,
    ids::{CustomerId, OrderId, OrgId},
    redemption::Redemption,
};

/// All that redeeming points for an order depends on, and voiding it.
#[derive(Debug)]
pub struct SpendingStory {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// What holds for all of the order, if anything was done about it.
    pub order: Option<OrderMark>,
    /// What the order has to do with points.
    pub spending: Option<Versioned<Claim<Redemption>>>,
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
            spending: spending.map(read_claim).transpose()?,
        })
    }

    /// What an order has to do with points.
    pub async fn spending(
        &self,
        org: &OrgId,
        order: &OrderId,
    ) -> Result<Option<Versioned<Claim<Redemption>>>, StoreError> {
        let [spending] = self.get([&keys::spending(org, order)]).await?;
        spending.map(read_claim).transpose()
    }

    /// A page of a customer's redemptions, newest first.
    pub async fn spendings(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<Redemption>>, StoreError> {
        self.redeemed(&keys::spendings_list(org, customer), after, limit, |order| keys::spending(org, order)).await
    }
}

impl Redeemed for Redemption {
    type Form = SpendingForm;

    const WHAT: &'static str = "a redemption of points";
}

impl Transaction<'_> {
    /// Records a redemption of points: the first of its order, or in the place of one that was read.
    pub fn record_spending(
        &mut self,
        redemption: &Redemption,
        before: Option<&Versioned<Claim<Redemption>>>,
    ) -> Result<(), StoreError> {
        let org = &self.org.id;
        let key = keys::spending(org, &redemption.order);
        let place = keys::spending_place(org, &redemption.customer, redemption.redeemed_at);
        let form = |version| ClaimForm::redeemed(SpendingForm::from(redemption), version);
        match before {
            Some(before) => self.replace(&key, Some(&place), &form(before.next_version()), before),
            None => self.create(&key, Some(&place), &form(1)),
        }
    }

    /// Marks that an order won't be paid with points any more that was not yet; `known`: something was done about the order
    /// before.
    pub fn mark_unspendable(&mut self, order: &OrderId, known: bool) -> Result<(), StoreError> {
        let key = keys::spending(&self.org.id, order);
        self.create(&key, None, &ClaimForm::<SpendingForm>::voided_before())?;
        self.list_order(order, known)
    }
}
