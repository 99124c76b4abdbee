//! Points that orders were paid with.

use super::{
    HistoryRow, OrderHeader, Page, Store, StoreError, Transaction, Versioned,
    customers::read_customer,
    items::{PointsRedemptionForm, RedemptionStateForm},
    keys,
    orders::read_header,
    redemption_states::{Redeemed, read_redemption_state},
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId, OrgId},
    points_redemption::PointsRedemption,
    redemption_state::RedemptionState,
};

/// All that redeeming points for an order depends on, and voiding it.
#[derive(Debug)]
pub struct PointsRedemptionContext {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// What holds for all of the order, if anything was done about it.
    pub order: Option<OrderHeader>,
    /// What the order has to do with points.
    pub state: Option<Versioned<RedemptionState<PointsRedemption>>>,
}

impl Store {
    /// Loads what redeeming points for an order depends on.
    pub async fn points_redemption_context(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<PointsRedemptionContext, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::order(org, order), &keys::points_redemption(org, order)];
        let [customer, order, state] = self.get(keys).await?;
        Ok(PointsRedemptionContext {
            customer: customer.map(read_customer).transpose()?,
            order: read_header(order)?,
            state: state.map(read_redemption_state).transpose()?,
        })
    }

    /// What an order has to do with points.
    pub async fn points_redemption_state(
        &self,
        org: &OrgId,
        order: &OrderId,
    ) -> Result<Option<Versioned<RedemptionState<PointsRedemption>>>, StoreError> {
        let [state] = self.get([&keys::points_redemption(org, order)]).await?;
        state.map(read_redemption_state).transpose()
    }

    /// A page of a customer's redemptions, newest first.
    pub async fn points_redemptions(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<PointsRedemption>>, StoreError> {
        self.redeemed(&keys::points_redemptions_index_pk(org, customer), after, limit, |order| {
            keys::points_redemption(org, order)
        })
        .await
    }
}

impl Redeemed for PointsRedemption {
    type Form = PointsRedemptionForm;

    const WHAT: &'static str = "a redemption of points";
}

impl Transaction<'_> {
    /// Records a redemption of points: the first of its order, or in the place of one that was read.
    pub fn record_points_redemption(
        &mut self,
        redemption: &PointsRedemption,
        before: Option<&Versioned<RedemptionState<PointsRedemption>>>,
    ) -> Result<(), StoreError> {
        let org = &self.org.id;
        let key = keys::points_redemption(org, &redemption.order);
        let index_key = keys::points_redemption_index_key(org, &redemption.customer, redemption.redeemed_at);
        let form = |version| RedemptionStateForm::redeemed(PointsRedemptionForm::from(redemption), version);
        match before {
            Some(before) => self.replace(&key, Some(&index_key), &form(before.next_version()), before),
            None => self.create(&key, Some(&index_key), &form(1)),
        }
    }

    /// Marks that an order won't be paid with points any more that was not yet; `known`: something was done about the order
    /// before.
    pub fn block_points_redemption(&mut self, order: &OrderId, known: bool) -> Result<(), StoreError> {
        let key = keys::points_redemption(&self.org.id, order);
        self.create(&key, None, &RedemptionStateForm::<PointsRedemptionForm>::voided_before())?;
        self.list_order(order, known)
    }
}
