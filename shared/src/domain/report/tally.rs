//! Counting a week.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    figures::{
        Count, EARNING_TARGET, Figures, LeftAtRisk, Orders, SCORED_TARGET, Share, TIERS_TARGET, TRANSITIONS_TARGET,
        TierShare,
    },
    week::Week,
};
use crate::domain::{
    bundle::{
        redemption::Redemption,
        transition::{Reason, Transition},
    },
    churn::{measure::Judged, prediction::Past, risk::RiskLevel},
    customer::{Customer, Orders as CustomerOrders},
    ids::{CustomerId, OrderId},
    ledger::{Entry, Happening},
    loyalty::LoyaltySettings,
    money::Money,
    org::Currency,
    text::Line,
    tier::held_by,
    time::days_between,
};

/// How long after its instant a change of status may go on record: two runs of the job.
pub const IN_TIME: TimeDelta = TimeDelta::minutes(10);

/// How old a score may be: a week, and the hours that a run may take.
const SCORED_WITHIN: TimeDelta = TimeDelta::days(8);

/// The shortest horizon of whose predictions those are kept, whenever the report is made, whose time was over in the same week of
/// a month before: they are kept for one horizon more, which has to be the four weeks, that week and the one in which it is made.
const REMEMBERED_FROM: u32 = 42;

/// Orders, and what was paid for them, in minor units.
#[derive(Default)]
struct Paid {
    count: u64,
    total: i64,
}

impl Paid {
    fn add(&mut self, total: Money) {
        self.count += 1;
        self.total = self.total.saturating_add(total.minor());
    }

    fn orders(&self) -> Orders {
        let average = i64::try_from(self.count).ok().and_then(|count| self.total.checked_div(count));
        Orders { count: self.count, average: average.and_then(Money::from_minor) }
    }
}

/// What is known of an org before its week is counted.
pub struct Known {
    /// The week.
    pub week: Week,
    /// Its settings, or those that it would begin with.
    pub settings: LoyaltySettings,
    /// Whether it has a loyalty programme now: without one nothing of it has a target.
    pub has_loyalty: bool,
    /// When scores were last made.
    pub scored_at: Option<DateTime<Utc>>,
    /// When it is counted.
    pub now: DateTime<Utc>,
}

/// What is counted of a week. Redemptions come first: they say which orders are those with a bundle.
pub struct Tally {
    known: Known,
    transitions: Share,
    redemptions: u64,
    savings: i64,
    with_bundle: HashSet<OrderId>,
    bundle_orders: Paid,
    other_orders: Paid,
    awards: u64,
    tier_changes: u64,
    earned: HashSet<CustomerId>,
    customers: u64,
    scored: Share,
    tiers: BTreeMap<Line, u64>,
    left_this_week: Share,
    left_month_before: Share,
}

impl Tally {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(known: Known) -> Self {
        let of = |target| Share { target, ..Share::default() };
        let scored = of(Some(SCORED_TARGET).filter(|_| known.has_loyalty));
        Self {
            known,
            transitions: of(Some(TRANSITIONS_TARGET)),
            redemptions: 0,
            savings: 0,
            with_bundle: HashSet::new(),
            bundle_orders: Paid::default(),
            other_orders: Paid::default(),
            awards: 0,
            tier_changes: 0,
            earned: HashSet::new(),
            customers: 0,
            scored,
            tiers: BTreeMap::new(),
            left_this_week: Share::default(),
            left_month_before: Share::default(),
        }
    }

    /// A bundle that an order redeemed, in the week or near it: an order may be awarded on another day.
    pub fn redemption(&mut self, redemption: &Redemption) {
        if redemption.voided_at.is_some() {
            return;
        }
        self.with_bundle.insert(redemption.order.clone());
        if self.known.week.has(redemption.redeemed_at) {
            self.redemptions += 1;
            self.savings = self.savings.saturating_add(redemption.savings.minor());
        }
    }

    /// A change of a bundle's status that went on record then.
    pub fn transition(&mut self, transition: &Transition, recorded_at: DateTime<Utc>) {
        let by_the_clock = match transition.reason {
            Reason::StartDateReached | Reason::EndDateReached | Reason::WindowOpened | Reason::WindowClosed => true,
            Reason::LimitReached | Reason::RedemptionVoided | Reason::Operator => false,
        };
        if by_the_clock && self.known.week.has(recorded_at) {
            self.transitions.of += 1;
            self.transitions.count += u64::from(recorded_at - transition.at <= IN_TIME);
        }
    }

    /// Changes that the clock has made due long ago, and that are not on record.
    pub const fn overdue(&mut self, changes: u64) {
        self.transitions.of += changes;
    }

    /// An entry of a customer's ledger.
    pub fn entry(&mut self, customer: &CustomerId, entry: &Entry) {
        if !self.known.week.has(entry.at) {
            return;
        }
        match &entry.what {
            Happening::PointsEarned { order_id, order_total } => {
                self.awards += 1;
                if entry.points.0 > 0 {
                    self.earned.insert(customer.clone());
                }
                let has_bundle = self.with_bundle.contains(order_id);
                if has_bundle { &mut self.bundle_orders } else { &mut self.other_orders }.add(*order_total);
            }
            Happening::TierChanged { .. } => self.tier_changes += 1,
            Happening::PointsReversed { .. }
            | Happening::PointsRestored { .. }
            | Happening::PointsRedeemed { .. }
            | Happening::PointsReturned { .. }
            | Happening::PointsAdjusted { .. } => {}
        }
    }

    /// A customer as they are now.
    pub fn customer(&mut self, customer: &Customer) {
        self.customers += 1;
        let Known { settings, has_loyalty, scored_at, now, .. } = &self.known;
        *self.tiers.entry(held_by(customer, settings).clone()).or_default() += 1;
        // Who has come since had no chance to be scored.
        let as_of = scored_at.filter(|at| *now - *at <= SCORED_WITHIN).unwrap_or(*now);
        let was_active = |orders: &CustomerOrders| {
            let then = orders.recent.iter().filter(|at| **at <= as_of);
            then.max().is_some_and(|last| days_between(*last, as_of) < settings.active_days.get())
        };
        if *has_loyalty && customer.orders.as_ref().is_some_and(was_active) {
            self.scored.of += 1;
            let is_scored = customer.churn.as_ref().is_some_and(|churn| *now - churn.at <= SCORED_WITHIN);
            self.scored.count += u64::from(is_scored);
        }
    }

    /// Whether what came of a prediction is of interest: of those who were told to be at risk.
    #[must_use]
    pub const fn is_at_risk(past: &Past) -> bool {
        matches!(RiskLevel::of(past.probability), RiskLevel::High | RiskLevel::Critical)
    }

    /// What came of somebody at risk whose time was over in this week, or in the same days of four weeks before.
    pub fn judged(&mut self, past: &Past, judged: Judged) {
        let share =
            if self.known.week.has(past.ends_at()) { &mut self.left_this_week } else { &mut self.left_month_before };
        share.of += 1;
        share.count += u64::from(judged.happened);
    }

    /// The figures.
    #[must_use]
    pub fn figures(self, currency: Currency) -> Figures {
        let Self { customers, tiers, known: Known { week, settings, has_loyalty, .. }, .. } = &self;
        let has_target = *has_loyalty && settings.tiers.iter().count() == TIERS_TARGET.len();
        let tiers = settings.tiers.iter().enumerate().map(|(place, tier)| {
            let target = TIERS_TARGET.get(place).copied().filter(|_| has_target);
            let count = tiers.get(&tier.name).copied().unwrap_or(0);
            TierShare { name: tier.name.clone(), share: Share { count, of: *customers, target } }
        });
        let earned = u64::try_from(self.earned.len()).unwrap_or(u64::MAX);
        Figures {
            from: week.first,
            to: week.last,
            currency,
            transitions: self.transitions,
            redemptions: Count(self.redemptions),
            savings: Money::from_minor(self.savings).unwrap_or(Money::ZERO),
            awards: Count(self.awards),
            tier_changes: Count(self.tier_changes),
            scored: self.scored,
            earning: Share { count: earned, of: *customers, target: Some(EARNING_TARGET).filter(|_| *has_loyalty) },
            tiers: tiers.collect(),
            left_at_risk: LeftAtRisk {
                this_week: self.left_this_week,
                month_before: Some(self.left_month_before).filter(|_| settings.active_days.get() >= REMEMBERED_FROM),
            },
            bundle_orders: self.bundle_orders.orders(),
            other_orders: self.other_orders.orders(),
        }
    }
}
