//! Reads the records of an org's week and counts them.

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
const PAGE_SIZE: usize = 1_000;

/// Customers in one read request.
const READ_BATCH_SIZE: usize = 100;

/// Offset of the comparison week, in days.
const COMPARISON_OFFSET_DAYS: u64 = 28;

/// The longest time between an order's award and its redemption, in either direction.
const AWARD_SKEW_MAX: TimeDelta = TimeDelta::days(1);

/// Counts the week of one org.
pub(crate) struct Counter<'a> {
    pub(crate) sweep: &'a Sweep<'a>,
    pub(crate) org: &'a Org,
    pub(crate) week: Week,
    pub(crate) tally: Tally,
}

impl Counter<'_> {
    /// The figures of the org's week.
    pub(crate) async fn figures(mut self) -> Result<WeekFigures, Failure> {
        // The tally needs the redemptions before the entries, to tell bundle orders from other orders.
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

    /// The bundles that may have redemptions.
    async fn bundles(&self) -> Result<Vec<BundleId>, Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let mut bundles = Vec::new();
        let page = |after: Option<String>| async move { store.bundles(org, after.as_deref(), PAGE_SIZE).await };
        for_each_row(self.sweep, page, |bundle| {
            // An unreadable bundle may have redemptions.
            if bundle.image.map_or(true, |bundle| bundle.value.usage.ever_redeemed) {
                bundles.push(bundle.id);
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(bundles)
    }

    /// Counts a bundle's redemptions, from [`AWARD_SKEW_MAX`] before the week to [`AWARD_SKEW_MAX`] after it.
    ///
    /// An award may come shortly before or after its redemption, so the two may fall in different weeks.
    async fn redemptions(&mut self, bundle: &BundleId) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let (since, until) = (self.week.from - AWARD_SKEW_MAX, self.week.until + AWARD_SKEW_MAX);
        let page = |after: Option<String>| async move {
            store.bundle_redemptions_since(org, bundle, since, after.as_deref(), PAGE_SIZE).await
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

    /// Counts the ledger entries and the recorded bundle transitions of the week.
    async fn history(&mut self) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        for day in self.week.utc_days() {
            let page = |after: Option<String>| async move {
                store.entries_of_day(org, day, after.as_deref(), PAGE_SIZE).await
            };
            for_each_row(self.sweep, page, |entry| {
                if let Some((customer, entry)) = entry {
                    self.tally.count_entry(&customer, &entry);
                }
                ControlFlow::Continue(())
            })
            .await?;
            let page = |after: Option<String>| async move {
                store.transitions_of_day(org, day, after.as_deref(), PAGE_SIZE).await
            };
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

    /// Counts each customer once. A customer that orders during the read moves in the list and appears again.
    async fn customers(&mut self) -> Result<(), Failure> {
        let (store, org) = (self.sweep.store, &self.org.id);
        let page =
            |after: Option<String>| async move { store.customers_since(org, None, after.as_deref(), PAGE_SIZE).await };
        // Digests, because the ids of millions of customers take too much memory.
        let mut seen: HashSet<u64> = HashSet::new();
        for_each_row(self.sweep, page, |customer| {
            let mut digest = DefaultHasher::new();
            customer.id.hash(&mut digest);
            match customer.image {
                _ if !seen.insert(digest.finish()) => {}
                Ok(customer) => self.tally.count_customer(&customer.value),
                Err(error) => {
                    tracing::error!(%org, customer = %customer.id, error = chain(&error), "a customer is not counted");
                }
            }
            ControlFlow::Continue(())
        })
        .await
    }

    /// Counts the outcomes of the at-risk predictions whose horizon ended in a week.
    ///
    /// If several predictions of a customer ended in the week, the latest counts.
    async fn predictions(&mut self, week: Week) -> Result<(), Failure> {
        let (store, org, now) = (self.sweep.store, &self.org.id, self.sweep.now);
        let mut ended: HashMap<CustomerId, PastPrediction> = HashMap::new();
        for day in week.utc_days() {
            let page = |after: Option<String>| async move {
                store.predictions_ending_on(org, day, after.as_deref(), PAGE_SIZE).await
            };
            for_each_row(self.sweep, page, |prediction| {
                let ended_in_week = prediction.filter(|(_, past)| week.contains(past.ends_at()) && past.is_kept(now));
                if let Some((customer, past)) = ended_in_week {
                    let latest = ended.entry(customer).or_insert(past);
                    *latest = if past.at > latest.at { past } else { *latest };
                }
                ControlFlow::Continue(())
            })
            .await?;
        }
        let at_risk: Vec<(CustomerId, PastPrediction)> =
            ended.into_iter().filter(|(_, past)| Tally::is_at_risk(past)).collect();
        for batch in at_risk.chunks(READ_BATCH_SIZE) {
            check_time(self.sweep)?;
            let ids: Vec<CustomerId> = batch.iter().map(|(id, _)| id.clone()).collect();
            let customers = retry_unavailable(self.sweep, || store.customers_by_id(org, &ids)).await?;
            for (id, past) in batch {
                let outcome = customers.get(id).and_then(|customer| past.evaluate(customer.orders.as_ref(), now));
                if let Some(outcome) = outcome {
                    self.tally.count_outcome(past, outcome);
                }
            }
        }
        Ok(())
    }
}
