//! Reads what is on record of an org's week.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use chrono::TimeDelta;
use shared::{
    domain::{
        churn::prediction::PastPrediction,
        ids::{BundleId, CustomerId},
        org::Org,
        report::{figures::WeekFigures, tally::Tally, week::Week},
    },
    error::chain,
    failure::Failure,
    jobs::{
        pages::{check_time, for_each_row, retry_unavailable},
        sweep::Sweep,
    },
};

/// Rows in a page.
const PAGE: usize = 1_000;

/// Customers who are read in one request.
const AT_ONCE: usize = 100;

/// How long before the week those were told to leave with whom its own are compared, in days.
const COMPARISON_OFFSET_DAYS: u64 = 28;

/// How far from its redemption an order's award may be.
const AWARD_SKEW_MAX: TimeDelta = TimeDelta::days(1);

/// Counts one org.
pub(crate) struct Counter<'a> {
    pub(crate) sweep: &'a Sweep<'a>,
    pub(crate) org: &'a Org,
    pub(crate) week: Week,
    pub(crate) tally: Tally,
}

impl Counter<'_> {
    /// The figures of the org's week.
    pub(crate) async fn figures(mut self) -> Result<WeekFigures, Failure> {
        // First, because they say which orders are those with a bundle.
        for bundle in self.bundles().await? {
            self.redemptions(&bundle).await?;
        }
        self.history().await?;
        self.customers().await?;
        let earlier = self.week.earlier(COMPARISON_OFFSET_DAYS, self.org.profile.timezone);
        for week in [Some(self.week), earlier].into_iter().flatten() {
            self.predictions(week).await?;
        }
        Ok(self.tally.figures(self.org.profile.currency.clone()))
    }

    /// The bundles that were ever redeemed.
    async fn bundles(&self) -> Result<Vec<BundleId>, Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let mut bundles = Vec::new();
        let page = |after: Option<String>| async move { store.bundles(org, after.as_deref(), PAGE).await };
        for_each_row(self.sweep, page, |bundle| {
            // Of one that can't be read, nobody knows.
            if bundle.image.map_or(true, |bundle| bundle.value.usage.ever_redeemed) {
                bundles.push(bundle.id);
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(bundles)
    }

    /// From a day before the week to a day after it: an order may be awarded a little later than it redeems, or earlier.
    async fn redemptions(&mut self, bundle: &BundleId) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let (since, until) = (self.week.from - AWARD_SKEW_MAX, self.week.until + AWARD_SKEW_MAX);
        let page = |after: Option<String>| async move {
            store.bundle_redemptions_since(org, bundle, since, after.as_deref(), PAGE).await
        };
        for_each_row(self.sweep, page, |redemption| {
            if redemption.as_ref().is_some_and(|redemption| redemption.redeemed_at >= until) {
                return ControlFlow::Break(());
            }
            if let Some(redemption) = redemption {
                self.tally.count_redemption(&redemption);
            }
            ControlFlow::Continue(())
        })
        .await
    }

    /// What was written into ledgers, and what went on record of bundles.
    async fn history(&mut self) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        for day in self.week.utc_days() {
            let page =
                |after: Option<String>| async move { store.entries_of_day(org, day, after.as_deref(), PAGE).await };
            for_each_row(self.sweep, page, |entry| {
                if let Some((customer, entry)) = entry {
                    self.tally.count_entry(&customer, &entry);
                }
                ControlFlow::Continue(())
            })
            .await?;
            let page =
                |after: Option<String>| async move { store.transitions_of_day(org, day, after.as_deref(), PAGE).await };
            for_each_row(self.sweep, page, |transition| {
                if let Some((transition, at)) = transition {
                    self.tally.count_transition(&transition, at);
                }
                ControlFlow::Continue(())
            })
            .await?;
        }
        Ok(())
    }

    /// Each customer once: who orders meanwhile moves in the list, and is met again.
    async fn customers(&mut self) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let page =
            |after: Option<String>| async move { store.customers_since(org, None, after.as_deref(), PAGE).await };
        // A digest of each: of millions, ids would be too much to keep.
        let mut met: HashSet<u64> = HashSet::new();
        for_each_row(self.sweep, page, |customer| {
            let mut digest = DefaultHasher::new();
            customer.id.hash(&mut digest);
            match customer.image {
                _ if !met.insert(digest.finish()) => {}
                Ok(customer) => self.tally.count_customer(&customer.value),
                Err(error) => {
                    tracing::error!(%org, customer = %customer.id, error = chain(&error), "a customer is not counted");
                }
            }
            ControlFlow::Continue(())
        })
        .await
    }

    /// What came of those at risk whose time was over in a week. Of somebody who was scored again within it, the last word counts.
    async fn predictions(&mut self, week: Week) -> Result<(), Failure> {
        let (store, org, now) = (self.sweep.store, &self.org.id, self.sweep.now);
        let mut ended: HashMap<CustomerId, PastPrediction> = HashMap::new();
        for day in week.utc_days() {
            let page = |after: Option<String>| async move {
                store.predictions_ending_on(org, day, after.as_deref(), PAGE).await
            };
            for_each_row(self.sweep, page, |prediction| {
                let over = prediction.filter(|(_, past)| week.contains(past.ends_at()) && past.is_kept(now));
                if let Some((customer, past)) = over {
                    let last = ended.entry(customer).or_insert(past);
                    *last = if past.at > last.at { past } else { *last };
                }
                ControlFlow::Continue(())
            })
            .await?;
        }
        let at_risk: Vec<(CustomerId, PastPrediction)> =
            ended.into_iter().filter(|(_, past)| Tally::is_at_risk(past)).collect();
        for some in at_risk.chunks(AT_ONCE) {
            check_time(self.sweep)?;
            let ids: Vec<CustomerId> = some.iter().map(|(id, _)| id.clone()).collect();
            let customers = retry_unavailable(self.sweep, || store.customers_by_id(org, &ids)).await?;
            for (id, past) in some {
                let outcome = customers.get(id).and_then(|known| past.evaluate(known.orders.as_ref(), now));
                if let Some(outcome) = outcome {
                    self.tally.count_outcome(past, outcome);
                }
            }
        }
        Ok(())
    }
}
