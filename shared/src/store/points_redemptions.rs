//! Redemptions of points by orders, and their voids.

use super::{
    customers::read_customer,
    error::StoreError,
    items::{points_redemption::PointsRedemptionForm, redemption_state::RedemptionStateForm},
    keys,
    order_headers::read_header,
    redemption_states::{StoredRedemption, read_redemption_state},
    rows::{HistoryRow, Page},
    table::{Store, Versioned},
    transact::{Change, Transaction},
};
use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId, OrgId},
    orders::OrderHeader,
    points_redemption::PointsRedemption,
    redemption_state::RedemptionState,
};

/// The stored values on which a redemption of points, or its void, depends.
#[derive(Debug)]
pub struct PointsRedemptionContext {
    /// The customer, if known.
    pub customer: Option<Versioned<Customer>>,
    /// The header of the order, if the order is known.
    pub order: Option<OrderHeader>,
    /// The points redemption of the order, or the mark of a void that came first.
    pub state: Option<Versioned<RedemptionState<PointsRedemption>>>,
}

impl StoredRedemption for PointsRedemption {
    type Form = PointsRedemptionForm;

    const RECORD: &'static str = "a points redemption";
}

impl Store {
    /// Loads the values on which a redemption of points depends.
    pub async fn points_redemption_context(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<PointsRedemptionContext, StoreError> {
        let keys = [&keys::customer(org, customer), &keys::order(org, order), &keys::points_redemption(org, order)];
        let [customer, header, state] = self.get(keys).await?;
        Ok(PointsRedemptionContext {
            customer: customer.map(read_customer).transpose()?,
            order: read_header(header)?,
            state: state.map(read_redemption_state).transpose()?,
        })
    }

    /// The points redemption of an order, or the mark of a void that came first.
    pub async fn points_redemption_state(
        &self,
        org: &OrgId,
        order: &OrderId,
    ) -> Result<Option<Versioned<RedemptionState<PointsRedemption>>>, StoreError> {
        let [state] = self.get([&keys::points_redemption(org, order)]).await?;
        state.map(read_redemption_state).transpose()
    }

    /// A page of a customer's points redemptions, newest first.
    pub async fn points_redemptions(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<PointsRedemption>>, StoreError> {
        let index_pk = keys::points_redemptions_index_pk(org, customer);
        self.redemptions(&index_pk, after, limit, |order| keys::points_redemption(org, order)).await
    }
}

impl Transaction<'_> {
    /// Records the first points redemption of an order, or replaces the one that was read as `before`.
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

    /// Requires that an order has redeemed no points, and that no void came first.
    pub fn require_no_points_redemption(&mut self, order: &OrderId) -> Result<(), StoreError> {
        let key = keys::points_redemption(&self.org.id, order);
        self.check(&key, Change::default().require_absent("pk"))
    }

    /// Marks that an order, which has redeemed no points, can no longer redeem any. `is_known_order` is whether the
    /// order has a header.
    pub fn block_points_redemption(&mut self, order: &OrderId, is_known_order: bool) -> Result<(), StoreError> {
        let key = keys::points_redemption(&self.org.id, order);
        self.create(&key, None, &RedemptionStateForm::<PointsRedemptionForm>::voided_before())?;
        self.list_order(order, is_known_order)
    }
}
