//! The counting of a week.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    figures::{
        EARNING_TARGET_PERCENT, LeftAtRisk, OrderAverage, SCORED_TARGET_PERCENT, Share, TIERS_TARGET_PERCENT,
        TRANSITIONS_TARGET_PERCENT, TierShare, WeekFigures, WeeklyCount,
    },
    week::Week,
};
use crate::domain::{
    bundle::{
        redemption::BundleRedemption,
        transition::{Transition, TransitionReason},
    },
    churn::{accuracy::ScoredOutcome, prediction::PastPrediction, risk::RiskLevel},
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{Entry, EntryKind},
    loyalty::LoyaltySettings,
    money::{Currency, Money},
    orders::OrderHistory,
    text::SingleLine,
    tier::held_tier,
    time::days_between,
};

/// The maximum delay between a status change and its record: two runs of the job.
pub const RECORDING_DELAY_MAX: TimeDelta = TimeDelta::minutes(10);

/// The maximum age of a score: a week, plus the hours that a run may take.
const SCORE_AGE_MAX: TimeDelta = TimeDelta::days(8);

/// The shortest horizon, in days, that allows the comparison with four weeks earlier. A prediction is stored for one
/// further horizon after its own horizon. This period must cover the four weeks, the reported week and the week of the
/// report.
const COMPARABLE_HORIZON_MIN: u32 = 42;

/// The number of orders, and the total paid for them in minor units.
#[derive(Default)]
struct OrderTotals {
    count: u64,
    total: i64,
}

impl OrderTotals {
    fn count_order(&mut self, total: Money) {
        self.count += 1;
        self.total = self.total.saturating_add(total.minor());
    }

    fn average(&self) -> OrderAverage {
        let average = i64::try_from(self.count).ok().and_then(|count| self.total.checked_div(count));
        OrderAverage { count: self.count, average: average.and_then(Money::from_minor) }
    }
}

/// The state of an org that the counting of its week needs.
pub struct WeekContext {
    /// The week.
    pub week: Week,
    /// The settings, or the defaults of an org without settings.
    pub settings: LoyaltySettings,
    /// Whether the org has a loyalty programme now. Without one, its figures have no targets.
    pub has_loyalty: bool,
    /// When scores were last computed.
    pub scored_at: Option<DateTime<Utc>>,
    /// When the week is counted.
    pub now: DateTime<Utc>,
}

/// The counters of a week. Redemptions must be counted first, because they determine which orders have a bundle.
pub struct Tally {
    context: WeekContext,
    transitions: Share,
    redemptions: u64,
    savings: i64,
    with_bundle: HashSet<OrderId>,
    bundle_orders: OrderTotals,
    other_orders: OrderTotals,
    awards: u64,
    tier_changes: u64,
    earned: HashSet<CustomerId>,
    customers: u64,
    scored: Share,
    tiers: BTreeMap<SingleLine, u64>,
    left_this_week: Share,
    left_month_before: Share,
}

impl Tally {
    /// All counters at 0.
    #[must_use]
    pub fn new(context: WeekContext) -> Self {
        let of = |target| Share { target, ..Share::default() };
        let scored = of(Some(SCORED_TARGET_PERCENT).filter(|_| context.has_loyalty));
        Self {
            context,
            transitions: of(Some(TRANSITIONS_TARGET_PERCENT)),
            redemptions: 0,
            savings: 0,
            with_bundle: HashSet::new(),
            bundle_orders: OrderTotals::default(),
            other_orders: OrderTotals::default(),
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

    /// Counts a bundle redemption in the week or near it. The order of a redemption may be awarded on another day.
    pub fn count_redemption(&mut self, redemption: &BundleRedemption) {
        if redemption.voided_at.is_some() {
            return;
        }
        self.with_bundle.insert(redemption.order.clone());
        if self.context.week.contains(redemption.redeemed_at) {
            self.redemptions += 1;
            self.savings = self.savings.saturating_add(redemption.savings.minor());
        }
    }

    /// Counts a status change that was recorded at `recorded_at`.
    pub fn count_transition(&mut self, transition: &Transition, recorded_at: DateTime<Utc>) {
        let by_the_clock = match transition.reason {
            TransitionReason::StartDateReached
            | TransitionReason::EndDateReached
            | TransitionReason::WindowOpened
            | TransitionReason::WindowClosed => true,
            TransitionReason::LimitReached | TransitionReason::RedemptionVoided | TransitionReason::Operator => false,
        };
        if by_the_clock && self.context.week.contains(recorded_at) {
            self.transitions.of += 1;
            self.transitions.count += u64::from(recorded_at - transition.at <= RECORDING_DELAY_MAX);
        }
    }

    /// Counts status changes that are overdue and not recorded.
    pub const fn count_overdue_transitions(&mut self, changes: u64) {
        self.transitions.of += changes;
    }

    /// Counts an entry of a customer's ledger.
    pub fn count_entry(&mut self, customer: &CustomerId, entry: &Entry) {
        if !self.context.week.contains(entry.at) {
            return;
        }
        match &entry.kind {
            EntryKind::PointsEarned { order_id, order_total } => {
                self.awards += 1;
                if entry.points.0 > 0 {
                    self.earned.insert(customer.clone());
                }
                let has_bundle = self.with_bundle.contains(order_id);
                if has_bundle { &mut self.bundle_orders } else { &mut self.other_orders }.count_order(*order_total);
            }
            EntryKind::TierChanged { .. } => self.tier_changes += 1,
            EntryKind::EarnedByAmendment { .. }
            | EntryKind::ReversedByAmendment { .. }
            | EntryKind::PointsReversed { .. }
            | EntryKind::PointsRestored { .. }
            | EntryKind::PointsRedeemed { .. }
            | EntryKind::PointsReturned { .. }
            | EntryKind::PointsExpired { .. }
            | EntryKind::PointsAdjusted { .. } => {}
        }
    }

    /// Counts a customer in the current state.
    pub fn count_customer(&mut self, customer: &Customer) {
        self.customers += 1;
        let WeekContext { settings, has_loyalty, scored_at, now, .. } = &self.context;
        *self.tiers.entry(held_tier(customer, settings).clone()).or_default() += 1;
        // A customer who ordered for the first time after the last run could not be scored.
        let as_of = scored_at.filter(|at| *now - *at <= SCORE_AGE_MAX).unwrap_or(*now);
        let was_active = |orders: &OrderHistory| {
            let then = orders.recent.iter().filter(|at| **at <= as_of);
            then.max().is_some_and(|last| days_between(*last, as_of) < settings.active_days.get())
        };
        if *has_loyalty && customer.orders.as_ref().is_some_and(was_active) {
            self.scored.of += 1;
            let is_scored = customer.churn.as_ref().is_some_and(|churn| *now - churn.at <= SCORE_AGE_MAX);
            self.scored.count += u64::from(is_scored);
        }
    }

    /// Whether the outcome of a prediction is counted: the customer was predicted to be at risk.
    #[must_use]
    pub const fn is_at_risk(past: &PastPrediction) -> bool {
        matches!(RiskLevel::of(past.probability), RiskLevel::High | RiskLevel::Critical)
    }

    /// Counts the outcome of a prediction whose horizon ended in this week, or in the same days four weeks earlier.
    pub fn count_outcome(&mut self, past: &PastPrediction, outcome: ScoredOutcome) {
        let share = if self.context.week.contains(past.ends_at()) {
            &mut self.left_this_week
        } else {
            &mut self.left_month_before
        };
        share.of += 1;
        share.count += u64::from(outcome.happened);
    }

    /// The figures.
    #[must_use]
    pub fn figures(self, currency: Currency) -> WeekFigures {
        let Self { customers, tiers, context: WeekContext { week, settings, has_loyalty, .. }, .. } = &self;
        let has_target = *has_loyalty && settings.tiers.iter().count() == TIERS_TARGET_PERCENT.len();
        let tiers = settings.tiers.iter().enumerate().map(|(place, tier)| {
            let target = TIERS_TARGET_PERCENT.get(place).copied().filter(|_| has_target);
            let count = tiers.get(&tier.name).copied().unwrap_or(0);
            TierShare { name: tier.name.clone(), share: Share { count, of: *customers, target } }
        });
        let earned = u64::try_from(self.earned.len()).unwrap_or(u64::MAX);
        WeekFigures {
            from: week.first,
            to: week.last,
            currency,
            transitions: self.transitions,
            redemptions: WeeklyCount(self.redemptions),
            savings: Money::from_minor(self.savings).unwrap_or(Money::ZERO),
            awards: WeeklyCount(self.awards),
            tier_changes: WeeklyCount(self.tier_changes),
            scored: self.scored,
            earning: Share {
                count: earned,
                of: *customers,
                target: Some(EARNING_TARGET_PERCENT).filter(|_| *has_loyalty),
            },
            tiers: tiers.collect(),
            left_at_risk: LeftAtRisk {
                this_week: self.left_this_week,
                month_before: Some(self.left_month_before)
                    .filter(|_| settings.active_days.get() >= COMPARABLE_HORIZON_MIN),
            },
            bundle_orders: self.bundle_orders.average(),
            other_orders: self.other_orders.average(),
        }
    }
}
