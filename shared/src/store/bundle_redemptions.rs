//! What orders have redeemed of bundles.

use super::{
    HistoryRow, Item, OrderHeader, Page, Store, StoreError, Transaction, Versioned,
    bundles::read_bundle,
    items::{self, BundleRedemptionForm, CountForm, RedemptionStateForm},
    keys::{self, text},
    orders::read_header,
    pages::skip_unreadable,
    redemption_states::{Redeemed, read_redemption_state},
    transact::{Change, number},
};
use crate::domain::{
    bundle::{
        redemption::{BundleRedemption, UsageChange},
        state::Bundle,
        terms::UseLimit,
    },
    ids::{BundleId, CustomerId, OrderId, OrgId},
    redemption_state::RedemptionState,
};

/// All that redeeming a bundle depends on.
#[derive(Debug)]
pub struct BundleRedemptionContext {
    /// The bundle, if there is one.
    pub bundle: Option<Versioned<Bundle>>,
    /// How often the customer redeems it.
    pub by_customer: u64,
    /// What holds for all of the order, if anything was done about it.
    pub order: Option<OrderHeader>,
    /// What the order has to do with the bundle.
    pub state: Option<Versioned<RedemptionState<BundleRedemption>>>,
}

impl Store {
    /// Loads what redeeming a bundle depends on.
    pub async fn bundle_redemption_context(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<BundleRedemptionContext, StoreError> {
        let keys = [
            &keys::bundle(org, bundle),
            &keys::customer_count(org, bundle, customer),
            &keys::order(org, order),
            &keys::bundle_redemption(org, bundle, order),
        ];
        let [bundle, count, order, state] = self.get(keys).await?;
        Ok(BundleRedemptionContext {
            bundle: bundle.map(read_bundle).transpose()?,
            by_customer: read_count(count)?,
            order: read_header(order)?,
            state: state.map(read_redemption_state).transpose()?,
        })
    }

    /// What an order has to do with a bundle, and what holds for all of it.
    pub async fn bundle_redemption_state(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        order: &OrderId,
    ) -> Result<(Option<OrderHeader>, Option<Versioned<RedemptionState<BundleRedemption>>>), StoreError> {
        let [header, state] =
            self.get([&keys::order(org, order), &keys::bundle_redemption(org, bundle, order)]).await?;
        Ok((read_header(header)?, state.map(read_redemption_state).transpose()?))
    }

    /// What holds for all of an order, if anything was done about it.
    pub async fn order_header(&self, org: &OrgId, order: &OrderId) -> Result<Option<OrderHeader>, StoreError> {
        let [header] = self.get([&keys::order(org, order)]).await?;
        read_header(header)
    }

    /// A bundle, and how often a customer redeems it.
    pub async fn bundle_and_count(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        customer: &CustomerId,
    ) -> Result<(Option<Versioned<Bundle>>, u64), StoreError> {
        let [item, count] =
            self.get([&keys::bundle(org, bundle), &keys::customer_count(org, bundle, customer)]).await?;
        Ok((item.map(read_bundle).transpose()?, read_count(count)?))
    }

    /// The bundles that an order has redeemed, voided ones included.
    pub async fn bundles_of_order(&self, org: &OrgId, order: &OrderId) -> Result<Vec<BundleId>, StoreError> {
        const PAGE: usize = 100;
        let mut bundles = Vec::new();
        let mut start = None;
        loop {
            let query = self.query_partition(&keys::order_partition(org, order), keys::BUNDLE_PREFIX, PAGE);
            let answer = query.consistent_read(true).set_exclusive_start_key(start).send().await?;
            for item in answer.items.unwrap_or_default() {
                // One that can't be read holds up no other.
                let state = skip_unreadable(read_redemption_state::<BundleRedemption>(item)).map(|state| state.value);
                if let Some(RedemptionState::Redeemed(redemption)) = state {
                    bundles.push(redemption.bundle);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(bundles);
            }
        }
    }

    /// A page of a bundle's redemptions, newest first.
    pub async fn bundle_redemptions(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<BundleRedemption>>, StoreError> {
        self.redeemed(&keys::bundle_redemptions_index_pk(org, bundle), after, limit, |order| {
            keys::bundle_redemption(org, bundle, order)
        })
        .await
    }
}

impl Redeemed for BundleRedemption {
    type Form = BundleRedemptionForm;

    const WHAT: &'static str = "a redemption";
}

fn read_count(item: Option<Item>) -> Result<u64, StoreError> {
    item.map(|item| items::read::<CountForm, _>("a customer's count", item)).transpose().map(Option::unwrap_or_default)
}

impl Transaction<'_> {
    /// Records a redemption, once, for an order of which nothing was voided whole, and counts it.
    pub fn record_bundle_redemption(
        &mut self,
        usage: &UsageChange,
        bundle: &Versioned<Bundle>,
        order: Option<&OrderHeader>,
    ) -> Result<(), StoreError> {
        let redemption = &usage.redemption;
        let org = &self.org.id;
        let index_key = keys::bundle_redemption_index_key(org, &redemption.bundle, redemption.redeemed_at);
        let key = keys::bundle_redemption(org, &redemption.bundle, &redemption.order);
        self.create(&key, Some(&index_key), &RedemptionStateForm::redeemed(BundleRedemptionForm::from(redemption), 1))?;
        self.count(usage, bundle)?;

        let key = keys::order(&self.org.id, &redemption.order);
        let change = self.order_change(&redemption.order).require_absent("bundlesVoided");
        if order.is_some_and(|order| order.owner.is_some()) {
            // A disposable org's order is listed in any case: see `list_order`.
            return if self.org.disposable { self.update(&key, change) } else { self.check(&key, change) };
        }
        let change = change.set("customerId", text(redemption.customer.as_str()));
        self.update(&key, change.require_absent("customerId"))
    }

    /// Gives a redemption back that was read as `state`.
    pub fn record_bundle_void(
        &mut self,
        usage: &UsageChange,
        bundle: &Versioned<Bundle>,
        state: &Versioned<RedemptionState<BundleRedemption>>,
    ) -> Result<(), StoreError> {
        let redemption = &usage.redemption;
        let org = &self.org.id;
        let index_key = keys::bundle_redemption_index_key(org, &redemption.bundle, redemption.redeemed_at);
        let key = keys::bundle_redemption(org, &redemption.bundle, &redemption.order);
        let form = RedemptionStateForm::redeemed(BundleRedemptionForm::from(redemption), state.next_version());
        self.replace(&key, Some(&index_key), &form, state)?;
        self.count(usage, bundle)
    }

    /// Marks that an order won't redeem a bundle any more that it has not redeemed; `known`: something was done about the
    /// order before.
    pub fn block_bundle_redemption(
        &mut self,
        bundle: &BundleId,
        order: &OrderId,
        known: bool,
    ) -> Result<(), StoreError> {
        let key = keys::bundle_redemption(&self.org.id, bundle, order);
        self.create(&key, None, &RedemptionStateForm::<BundleRedemptionForm>::voided_before())?;
        self.list_order(order, known)
    }

    /// Marks that an order won't redeem any bundle any more. Whose it is must not have changed; where nothing is known of
    /// the order, it stays open.
    pub fn block_bundle_redemptions(&mut self, order: &OrderId, owner: Option<&CustomerId>) -> Result<(), StoreError> {
        let change = self.order_change(order).set("bundlesVoided", items::attribute(&true)?);
        let change = match owner {
            Some(owner) => change.require("customerId", "=", text(owner.as_str())),
            None => change.require_absent("customerId"),
        };
        self.update(&keys::order(&self.org.id, order), change)
    }

    /// Moves the counters by one, and the status where that takes the last unit or gives it back. The conditions let
    /// other orders count meanwhile; only what this one decided by must still hold.
    fn count(&mut self, usage: &UsageChange, read: &Versioned<Bundle>) -> Result<(), StoreError> {
        let UsageChange { redemption, before, after, .. } = usage;
        let key = keys::bundle(&self.org.id, &redemption.bundle);
        let redeemed = after.redemptions > before.redemptions;
        let (one, saved) = if redeemed { (1, redemption.savings.minor()) } else { (-1, -redemption.savings.minor()) };
        let customers = i64::from(after.customers > before.customers) - i64::from(after.customers < before.customers);
        let counters = |change: Change| {
            let change = change.add("redemptions", one).add("savings", saved).add("customers", customers);
            change.set("ever", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
        };
        let change = if let Some(update) = &usage.update {
            let change = counters(self.status_change(update, read)?);
            change.require("redemptions", "=", number(before.redemptions))
        } else {
            let change = counters(Change::default().require("version", "=", number(read.version)));
            let room = |max: UseLimit| if redeemed { max.get() - 1 } else { max.get() };
            match usage.max.map(room) {
                Some(room) => change.require("redemptions", "<", number(room)),
                None => change,
            }
        };
        self.update(&key, change)?;
        if let Some(update) = &usage.update {
            self.append_transitions(update, read.next_version())?;
        }
        self.count_customer(usage)
    }

    fn count_customer(&mut self, usage: &UsageChange) -> Result<(), StoreError> {
        let UsageChange { redemption, by_customer_before: before, by_customer_after: after, .. } = usage;
        let key = keys::customer_count(&self.org.id, &redemption.bundle, &redemption.customer);
        let change = Change::default().set("redemptions", number(after));
        let change = if *before == 0 {
            change.require_absent_or("redemptions", number(before))
        } else {
            change.require("redemptions", "=", number(before))
        };
        self.update(&key, change)
    }
}
