//! What a run tells.

use serde::Serialize;
use shared::{
    domain::recalculation::Direction,
    host::Reply,
    sweep::{OrgReport, Swept},
};

/// What was done in one org.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    customers: u64,
    changed: u64,
    promotions: u64,
    demotions: u64,
}

impl Figures {
    /// Counts customers who were met.
    pub(crate) const fn meet(&mut self, customers: u64) {
        self.customers += customers;
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

pub(crate) fn reply(swept: &Swept<Figures>, dry_run: bool) -> Reply {
    let sum = |figure: fn(&Figures) -> u64| -> u64 {
        swept.results.iter().map(|OrgReport { figures, .. }| figure(figures)).sum()
    };
    let count = |figure| i64::try_from(sum(figure)).unwrap_or(i64::MAX);
    let sums =
        Sums { total_customers: sum(|figures| figures.customers), total_changed: sum(|figures| figures.changed) };
    let reply = Reply::ok(&swept.answer(sums));
    if dry_run {
        return reply;
    }
    reply
        .measuring("CustomersJudged", count(|figures| figures.customers))
        .measuring("TiersChanged", count(|figures| figures.changed))
        .measuring("Promotions", count(|figures| figures.promotions))
        .measuring("Demotions", count(|figures| figures.demotions))
        .measuring("ErrorsEncountered", swept.failures())
}
