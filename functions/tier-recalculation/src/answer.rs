//! What a run tells.

use serde::Serialize;
use shared::{
    domain::recalculation::Direction,
    host::Reply,
    jobs::report::{OrgReport, Swept},
};

/// How many hold the tier at each height of the ladder, the lowest first: a ladder has no more.
const HOLDING_METRICS: [&str; 20] = [
    "HoldingTier1",
    "HoldingTier2",
    "HoldingTier3",
    "HoldingTier4",
    "HoldingTier5",
    "HoldingTier6",
    "HoldingTier7",
    "HoldingTier8",
    "HoldingTier9",
    "HoldingTier10",
    "HoldingTier11",
    "HoldingTier12",
    "HoldingTier13",
    "HoldingTier14",
    "HoldingTier15",
    "HoldingTier16",
    "HoldingTier17",
    "HoldingTier18",
    "HoldingTier19",
    "HoldingTier20",
];

/// What was done in one org.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RecalculationFigures {
    customers: u64,
    changed: u64,
    promotions: u64,
    demotions: u64,
    #[serde(skip)]
    holding: [u64; HOLDING_METRICS.len()],
}

impl RecalculationFigures {
    /// Counts customers who were met.
    pub(crate) const fn meet(&mut self, customers: u64) {
        self.customers += customers;
    }

    /// Counts somebody who holds the tier at a height.
    pub(crate) fn hold(&mut self, rank: usize) {
        if let Some(holding) = self.holding.get_mut(rank) {
            *holding += 1;
        }
    }

    /// Counts a change.
    pub(crate) const fn change(&mut self, direction: Direction) {
        self.changed += 1;
        match direction {
            Direction::Promotion => self.promotions += 1,
            Direction::Demotion => self.demotions += 1,
            Direction::Relisting => {}
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    total_customers: u64,
    total_changed: u64,
}

pub(crate) fn reply(swept: &Swept<RecalculationFigures>, dry_run: bool) -> Reply {
    let sum = |figure: fn(&RecalculationFigures) -> u64| -> u64 {
        swept.results.iter().map(|OrgReport { figures, .. }| figure(figures)).sum()
    };
    let count = |figure| i64::try_from(sum(figure)).unwrap_or(i64::MAX);
    let sums =
        Sums { total_customers: sum(|figures| figures.customers), total_changed: sum(|figures| figures.changed) };
    let reply = Reply::ok(&swept.answer(sums));
    if dry_run {
        return reply;
    }
    let reply = reply
        .measuring("CustomersJudged", count(|figures| figures.customers))
        .measuring("TiersChanged", count(|figures| figures.changed))
        .measuring("Promotions", count(|figures| figures.promotions))
        .measuring("Demotions", count(|figures| figures.demotions))
        .measuring("ErrorsEncountered", swept.failures());
    let held = HOLDING_METRICS.iter().enumerate().map(|(rank, name)| {
        let in_org = |told: &OrgReport<RecalculationFigures>| told.figures.holding.get(rank).copied().unwrap_or(0);
        (*name, swept.results.iter().map(in_org).sum::<u64>())
    });
    // Most ladders have few steps.
    let held = held.filter(|(_, count)| *count > 0);
    held.fold(reply, |reply, (name, count)| reply.measuring(name, i64::try_from(count).unwrap_or(i64::MAX)))
}
