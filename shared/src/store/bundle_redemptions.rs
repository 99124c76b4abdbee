//! Redemptions of bundles by orders, their voids, and the counters of bundles and of their customers.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::{
    attributes::{Item, number, text},
    bundles::read_bundle,
    error::StoreError,
    items::{
        bundle_redemption::{BundleRedemptionForm, CustomerCountForm},
        form,
        redemption_state::RedemptionStateForm,
    },
    keys::{self, IndexKey, Key},
    order_headers::read_header,
    redemption_states::{StoredRedemption, read_listed_redemption, read_redemption_state},
    rows::{HistoryRow, Page, skip_unreadable},
    table::{Store, Versioned},
    transact::{Change, Transaction},
};
use crate::domain::{
    bundle::{
        redemption::{BundleRedemption, UsageChange},
        state::Bundle,
        terms::UseLimit,
    },
    ids::{BundleId, CustomerId, OrderId, OrgId},
    orders::OrderHeader,
    redemption_state::RedemptionState,
    time,
};

/// The stored values on which a redemption of a bundle depends.
#[derive(Debug)]
pub struct BundleRedemptionContext {
    /// The bundle, if it exists.
    pub bundle: Option<Versioned<Bundle>>,
    /// The customer's number of redemptions of the bundle.
    pub by_customer: u64,
    /// The header of the order, if the order is known.
    pub order: Option<OrderHeader>,
    /// The redemption of the bundle by the order, or the mark of a void that came first.
    pub state: Option<Versioned<RedemptionState<BundleRedemption>>>,
}

impl StoredRedemption for BundleRedemption {
    type Form = BundleRedemptionForm;

    const RECORD: &'static str = "a bundle redemption";
}

impl Store {
    /// Loads the values on which a redemption of a bundle depends.
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
        let [bundle, count, header, state] = self.get(keys).await?;
        Ok(BundleRedemptionContext {
            bundle: bundle.map(read_bundle).transpose()?,
            by_customer: read_count(count)?,
            order: read_header(header)?,
            state: state.map(read_redemption_state).transpose()?,
        })
    }

    /// The header of an order, and the redemption of a bundle by the order or the mark of a void that came first.
    pub async fn order_and_bundle_redemption_state(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        order: &OrderId,
    ) -> Result<(Option<OrderHeader>, Option<Versioned<RedemptionState<BundleRedemption>>>), StoreError> {
        let keys = [&keys::order(org, order), &keys::bundle_redemption(org, bundle, order)];
        let [header, state] = self.get(keys).await?;
        Ok((read_header(header)?, state.map(read_redemption_state).transpose()?))
    }

    /// A bundle, and a customer's number of redemptions of the bundle.
    pub async fn bundle_and_customer_count(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        customer: &CustomerId,
    ) -> Result<(Option<Versioned<Bundle>>, u64), StoreError> {
        let keys = [&keys::bundle(org, bundle), &keys::customer_count(org, bundle, customer)];
        let [bundle, count] = self.get(keys).await?;
        Ok((bundle.map(read_bundle).transpose()?, read_count(count)?))
    }

    /// The bundles of all redemptions by an order, including voided redemptions. Unreadable redemptions are left out.
    pub async fn bundles_of_order(&self, org: &OrgId, order: &OrderId) -> Result<Vec<BundleId>, StoreError> {
        self.read_partition(&keys::order_partition(org, order), keys::BUNDLE_PREFIX, |item| {
            let state = skip_unreadable(read_redemption_state::<BundleRedemption>(item)).map(|state| state.value);
            Ok(match state {
                Some(RedemptionState::Redeemed(redemption)) => Some(redemption.bundle),
                Some(RedemptionState::VoidedBefore) | None => None,
            })
        })
        .await
    }

    /// A page of a bundle's redemptions, newest first.
    pub async fn bundle_redemptions(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<BundleRedemption>>, StoreError> {
        let index_pk = keys::bundle_redemptions_index_pk(org, bundle);
        self.redemptions(&index_pk, after, limit, |order| keys::bundle_redemption(org, bundle, order)).await
    }

    /// A page of a bundle's redemptions since an instant, oldest first, including voided redemptions. An unreadable
    /// redemption is `None`.
    pub async fn bundle_redemptions_since(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        since: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<BundleRedemption>>, StoreError> {
        let (index_pk, since) = (keys::bundle_redemptions_index_pk(org, bundle), time::text(since));
        self.index_page(&index_pk, Some(&since), after, limit, read_listed_redemption).await
    }
}

fn read_count(item: Option<Item>) -> Result<u64, StoreError> {
    let read = |item| form::read::<CustomerCountForm, _>("a customer's count", item);
    item.map(read).transpose().map(Option::unwrap_or_default)
}

impl Transaction<'_> {
    /// Records a redemption, which must not be recorded yet, and counts it. The whole order must not be voided.
    pub fn record_bundle_redemption(
        &mut self,
        usage: &UsageChange,
        bundle: &Versioned<Bundle>,
        order: Option<&OrderHeader>,
    ) -> Result<(), StoreError> {
        let redemption = &usage.redemption;
        let (key, index_key) = self.bundle_redemption_keys(redemption);
        self.create(&key, Some(&index_key), &RedemptionStateForm::redeemed(BundleRedemptionForm::from(redemption), 1))?;
        self.update_counters(usage, bundle)?;

        let key = keys::order(&self.org.id, &redemption.order);
        let change = self.order_change(&redemption.order).require_absent("bundlesVoided");
        if order.is_some_and(|order| order.owner.is_some()) {
            // An order of a disposable org is listed again: see `list_order`.
            return if self.org.disposable { self.update(&key, change) } else { self.check(&key, change) };
        }
        let change = change.set("customerId", text(redemption.customer.as_str()));
        self.update(&key, change.require_absent("customerId"))
    }

    /// Records the void of the redemption that was read as `state`, and uncounts it.
    pub fn record_bundle_void(
        &mut self,
        usage: &UsageChange,
        bundle: &Versioned<Bundle>,
        state: &Versioned<RedemptionState<BundleRedemption>>,
    ) -> Result<(), StoreError> {
        let (key, index_key) = self.bundle_redemption_keys(&usage.redemption);
        let form = BundleRedemptionForm::from(&usage.redemption);
        let form = RedemptionStateForm::redeemed(form, state.next_version());
        self.replace(&key, Some(&index_key), &form, state)?;
        self.update_counters(usage, bundle)
    }

    /// Marks that an order, which has not redeemed a bundle, can no longer redeem it. `is_known_order` is whether the
    /// order has a header.
    pub fn block_bundle_redemption(
        &mut self,
        bundle: &BundleId,
        order: &OrderId,
        is_known_order: bool,
    ) -> Result<(), StoreError> {
        let key = keys::bundle_redemption(&self.org.id, bundle, order);
        self.create(&key, None, &RedemptionStateForm::<BundleRedemptionForm>::voided_before())?;
        self.list_order(order, is_known_order)
    }

    fn bundle_redemption_keys(&self, redemption: &BundleRedemption) -> (Key, IndexKey) {
        let (org, BundleRedemption { bundle, order, redeemed_at, .. }) = (&self.org.id, redemption);
        (keys::bundle_redemption(org, bundle, order), keys::bundle_redemption_index_key(org, bundle, *redeemed_at))
    }

    /// Updates the counters by one redemption. Also updates the status if the redemption takes the last unit, or its
    /// void returns the last unit.
    ///
    /// The conditions require only the values on which the decision depends. Concurrent orders may therefore change the
    /// counters.
    fn update_counters(&mut self, usage: &UsageChange, bundle: &Versioned<Bundle>) -> Result<(), StoreError> {
        let UsageChange { redemption, before, after, .. } = usage;
        let key = keys::bundle(&self.org.id, &redemption.bundle);
        let is_redemption = after.redemptions > before.redemptions;
        let savings = redemption.savings.minor();
        let (redemptions, savings) = if is_redemption { (1, savings) } else { (-1, -savings) };
        let customers = i64::from(after.customers > before.customers) - i64::from(after.customers < before.customers);
        let counters = |change: Change| {
            let change = change.add("redemptions", redemptions).add("savings", savings).add("customers", customers);
            change.set("ever", AttributeValue::Bool(true))
        };
        let change = if let Some(update) = &usage.update {
            let change = counters(self.status_change(update, bundle)?);
            change.require("redemptions", "=", number(before.redemptions))
        } else {
            let change = counters(Change::default().require("version", "=", number(bundle.version)));
            let bound = |max: UseLimit| if is_redemption { max.get() - 1 } else { max.get() };
            match usage.max.map(bound) {
                Some(bound) => change.require("redemptions", "<", number(bound)),
                None => change,
            }
        };
        self.update(&key, change)?;
        if let Some(update) = &usage.update {
            self.append_transitions(update, bundle.next_version())?;
        }
        self.update_customer_count(usage)
    }

    fn update_customer_count(&mut self, usage: &UsageChange) -> Result<(), StoreError> {
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
