//! What orders have redeemed of bundles.

use super::{
    HistoryRow, Item, OrderMark, Page, Store, StoreError, Transaction, Versioned,
    bundles::read_bundle,
    claims::{Redeemed, read_claim},
    items::{self, ClaimForm, CountForm, RedemptionForm},
    keys::{self, text},
    orders::read_mark,
    pages::readable,
    transact::{Change, number},
};
use crate::domain::{
    bundle::{
        Bundle, UseLimit,
        redemption::{Counted, Redemption},
    },
    claim::Claim,
    ids::{BundleId, CustomerId, OrderId, OrgId},
};

/// All that redeeming a bundle depends on.
#[derive(Debug)]
pub struct RedemptionStory {
    /// The bundle, if there is one.
    pub bundle: Option<Versioned<Bundle>>,
    /// How often the customer redeems it.
    pub by_customer: u64,
    /// What holds for all of the order, if anything was done about it.
    pub order: Option<OrderMark>,
    /// What the order has to do with the bundle.
    pub claim: Option<Versioned<Claim<Redemption>>>,
}

impl Store {
    /// Loads what redeeming a bundle depends on.
    pub async fn redemption_story(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<RedemptionStory, StoreError> {
        let keys = [
            &keys::bundle(org, bundle),
            &keys::customer_count(org, bundle, customer),
            &keys::order(org, order),
            &keys::claim(org, bundle, order),
        ];
        let [bundle, count, order, claim] = self.get(keys).await?;
        Ok(RedemptionStory {
            bundle: bundle.map(read_bundle).transpose()?,
            by_customer: read_count(count)?,
            order: read_mark(order)?,
            claim: claim.map(read_claim).transpose()?,
        })
    }

    /// What an order has to do with a bundle, and what holds for all of it.
    pub async fn claim(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        order: &OrderId,
    ) -> Result<(Option<OrderMark>, Option<Versioned<Claim<Redemption>>>), StoreError> {
        let [mark, claim] = self.get([&keys::order(org, order), &keys::claim(org, bundle, order)]).await?;
        Ok((read_mark(mark)?, claim.map(read_claim).transpose()?))
    }

    /// What holds for all of an order, if anything was done about it.
    pub async fn order_mark(&self, org: &OrgId, order: &OrderId) -> Result<Option<OrderMark>, StoreError> {
        let [mark] = self.get([&keys::order(org, order)]).await?;
        read_mark(mark)
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
                let claim = readable(read_claim::<Redemption>(item)).map(|claim| claim.value);
                if let Some(Claim::Redeemed(redemption)) = claim {
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
    pub async fn redemptions(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<Redemption>>, StoreError> {
        self.redeemed(&keys::redemptions_list(org, bundle), after, limit, |order| keys::claim(org, bundle, order)).await
    }
}

impl Redeemed for Redemption {
    type Form = RedemptionForm;

    const WHAT: &'static str = "a redemption";
}

fn read_count(item: Option<Item>) -> Result<u64, StoreError> {
    item.map(|item| items::read::<CountForm, _>("a customer's count", item)).transpose().map(Option::unwrap_or_default)
}

impl Transaction<'_> {
    /// Records a redemption, once, for an order of which nothing was voided whole, and counts it.
    pub fn redeem(
        &mut self,
        counted: &Counted,
        bundle: &Versioned<Bundle>,
        order: Option<&OrderMark>,
    ) -> Result<(), StoreError> {
        let redemption = &counted.redemption;
        let org = &self.org.id;
        let place = keys::redemption_place(org, &redemption.bundle, redemption.redeemed_at);
        let key = keys::claim(org, &redemption.bundle, &redemption.order);
        self.create(&key, Some(&place), &ClaimForm::redeemed(RedemptionForm::from(redemption), 1))?;
        self.count(counted, bundle)?;

        let key = keys::order(&self.org.id, &redemption.order);
        let change = self.order_change(&redemption.order).require_absent("bundlesVoided");
        if order.is_some_and(|order| order.owner.is_some()) {
            // A disposable org's order is listed in any case: see `list_order`.
            return if self.org.disposable { self.update(&key, change) } else { self.check(&key, change) };
        }
        let claim = change.set("customerId", text(redemption.customer.as_str()));
        self.update(&key, claim.require_absent("customerId"))
    }

    /// Gives a redemption back that was read as `claim`.
    pub fn void_redemption(
        &mut self,
        counted: &Counted,
        bundle: &Versioned<Bundle>,
        claim: &Versioned<Claim<Redemption>>,
    ) -> Result<(), StoreError> {
        let redemption = &counted.redemption;
        let org = &self.org.id;
        let place = keys::redemption_place(org, &redemption.bundle, redemption.redeemed_at);
        let key = keys::claim(org, &redemption.bundle, &redemption.order);
        let form = ClaimForm::redeemed(RedemptionForm::from(redemption), claim.next_version());
        self.replace(&key, Some(&place), &form, claim)?;
        self.count(counted, bundle)
    }

    /// Marks that an order won't redeem a bundle any more that it has not redeemed; `known`: something was done about the
    /// order before.
    pub fn mark_void(&mut self, bundle: &BundleId, order: &OrderId, known: bool) -> Result<(), StoreError> {
        let key = keys::claim(&self.org.id, bundle, order);
        self.create(&key, None, &ClaimForm::<RedemptionForm>::voided_before())?;
        self.list_order(order, known)
    }

    /// Marks that an order won't redeem any bundle any more. Whose it is must not have changed; where nothing is known of
    /// the order, it stays open.
    pub fn void_order(&mut self, order: &OrderId, owner: Option<&CustomerId>) -> Result<(), StoreError> {
        let change = self.order_change(order).set("bundlesVoided", items::attribute(&true)?);
        let change = match owner {
            Some(owner) => change.require("customerId", "=", text(owner.as_str())),
            None => change.require_absent("customerId"),
        };
        self.update(&keys::order(&self.org.id, order), change)
    }

    /// Moves the counters by one, and the status where that takes the last unit or gives it back. The conditions let
    /// other orders count meanwhile; only what this one decided by must still hold.
    fn count(&mut self, counted: &Counted, read: &Versioned<Bundle>) -> Result<(), StoreError> {
        let Counted { redemption, before, after, .. } = counted;
        let key = keys::bundle(&self.org.id, &redemption.bundle);
        let redeemed = after.redemptions > before.redemptions;
        let (one, saved) = if redeemed { (1, redemption.savings.minor()) } else { (-1, -redemption.savings.minor()) };
        let customers = i64::from(after.customers > before.customers) - i64::from(after.customers < before.customers);
        let counters = |change: Change| {
            let change = change.add("redemptions", one).add("savings", saved).add("customers", customers);
            change.set("ever", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
        };
        let change = if let Some(moved) = &counted.moved {
            let change = counters(self.status_change(moved, read)?);
            change.require("redemptions", "=", number(before.redemptions))
        } else {
            let change = counters(Change::default().require("version", "=", number(read.version)));
            let room = |max: UseLimit| if redeemed { max.get() - 1 } else { max.get() };
            match counted.max.map(room) {
                Some(room) => change.require("redemptions", "<", number(room)),
                None => change,
            }
        };
        self.update(&key, change)?;
        if let Some(moved) = &counted.moved {
            self.append_transitions(moved, read.next_version())?;
        }
        self.count_customer(counted)
    }

    fn count_customer(&mut self, counted: &Counted) -> Result<(), StoreError> {
        let Counted { redemption, by_customer_before: before, by_customer_after: after, .. } = counted;
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
