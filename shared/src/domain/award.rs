//! What an order earns.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::domain::{
    customer::Customer,
    ids::{CustomerId, OrderId},
    ledger::{self, Entry, EntryKind},
    loyalty::Loyalty,
    money::Money,
    points::Points,
    rate::{EarnRate, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::Rejection,
    text::SingleLine,
    tier::{self, TierCause, TierChange},
};

/// Minor units of a unit of currency, as money is kept, whatever the currency.
const MINOR_UNITS: i128 = 100;

/// An order as the shop reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What the customer paid in money; what was paid in points earns nothing.
    pub total: Money,
    /// Whether this order earns with the equity multiplier, whoever's it is.
    pub equity_status: bool,
    /// When it was fulfilled.
    pub fulfilled_at: DateTime<Utc>,
}

/// The rate and multipliers an order earned by. Refunds are counted by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarningTerms {
    /// Points for each unit of currency.
    pub points_per_dollar: PointsPerDollar,
    /// Points for each so much money; wins over `points_per_dollar`.
    pub earn_rate: Option<EarnRate>,
    /// The equity multiplier as applied; 1 without equity status.
    pub equity: EquityMultiplier,
    /// The multiplier of the tier held before the order.
    pub tier: PointsMultiplier,
}

impl EarningTerms {
    /// `floor(total x pointsPerDollar x equity x tier)`, or with an earn rate `floor(total x points x equity x tier / per)`:
    /// formed exactly, in whole numbers, and floored once.
    ///
    /// Within the bounds of its parts a product has at most 32 digits, which 128 bits hold. What comes to more points than
    /// are kept is out of range.
    pub fn points_for(&self, total: Money) -> Result<Points, Rejection> {
        /// Multipliers have four decimals at most.
        const SCALE: i128 = 10_000;
        let scaled = |value: Decimal| value.mantissa() * SCALE / 10_i128.pow(value.scale());
        let multipliers = scaled(self.equity.get()) * scaled(self.tier.get());
        let total = i128::from(total.minor());
        let points = match self.earn_rate {
            Some(EarnRate { points, per }) => {
                total * i128::from(points.get()) * multipliers / (i128::from(per.get().minor()) * SCALE * SCALE)
            }
            None => total * scaled(self.points_per_dollar.get()) * multipliers / (MINOR_UNITS * SCALE * SCALE * SCALE),
        };
        let points = i64::try_from(points).ok().and_then(|points| Points::ZERO.plus(Points(points)));
        points.ok_or(Rejection::OutOfRange { figure: "points" })
    }
}

/// What is kept about an awarded order, for ever: what was asked, what was answered, and what refunds need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// The order as it was asked about.
    pub order: Order,
    /// What it earned by.
    pub terms: EarningTerms,
    /// What it earned.
    pub points: Points,
    /// What came of it, as answered.
    pub outcome: AccountSnapshot,
    /// What has not been refunded yet; `None` once nothing is left to refund (an order of 0 can be refunded once).
    pub remaining: Option<Money>,
}

/// How a customer stood after an award or a refund, as answered then and replayed ever after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// The balance.
    pub balance: Points,
    /// The tier.
    pub tier: SingleLine,
    /// The change of tier it made, if any.
    pub tier_change: Option<TierChange>,
}

/// All that an award changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awarded {
    /// The customer after it.
    pub customer: Customer,
    /// The record of it.
    pub award: Award,
    /// The ledger entries of it.
    pub entries: Vec<Entry>,
}

/// Awards an order. The multiplier is that of the tier held just before it, now; the tier is then set as of now. Where the
/// tier was due to be lowered, that change comes first, with its own cause.
pub fn award(customer: &Customer, loyalty: &Loyalty, order: Order, now: DateTime<Utc>) -> Result<Awarded, Rejection> {
    let settings = &loyalty.settings;
    let before = tier::tier_at(settings, customer.lifetime_value, customer.last_order_at(), now);
    let has_equity = order.equity_status || customer.profile.equity_status == Some(true);
    let terms = EarningTerms {
        points_per_dollar: settings.points_per_dollar,
        earn_rate: settings.earn_rate,
        equity: if has_equity { settings.equity_multiplier } else { EquityMultiplier::NONE },
        tier: before.points_multiplier,
    };
    let points = terms.points_for(order.total)?;

    let mut pending = PendingChange::begin(customer, loyalty, now);
    pending.customer.add_points(points)?;
    pending.customer.add_value(Money::ZERO, order.total)?;
    pending.customer.count_order(order.fulfilled_at)?;
    let earned = EntryKind::PointsEarned { order_id: order.id.clone(), order_total: order.total };
    let AccountChange { customer, entries, outcome } = pending.conclude(points, earned, TierCause::Order, &order.id);
    let award = Award { terms, points, outcome, remaining: Some(order.total), order };
    Ok(Awarded { customer, award, entries })
}

/// Whether a request about an order repeats the award on record: `fulfilledAt` does not count.
#[must_use]
pub fn repeats(order: &Order, award: &Award) -> bool {
    let known = &award.order;
    order.customer == known.customer && order.total == known.total && order.equity_status == known.equity_status
}

/// A change of a customer's points that may move the tier, while it is worked out.
pub(super) struct PendingChange<'a> {
    /// The customer, so far.
    pub(super) customer: Customer,
    loyalty: &'a Loyalty,
    now: DateTime<Utc>,
    /// The tier held before it.
    held: SingleLine,
    /// The lowering that was due before it.
    lowered: Option<TierChange>,
    entries: Vec<Entry>,
}

/// What it changes.
pub(super) struct AccountChange {
    pub(super) customer: Customer,
    pub(super) entries: Vec<Entry>,
    pub(super) outcome: AccountSnapshot,
}

impl<'a> PendingChange<'a> {
    /// Begins with what is due anyway.
    pub(super) fn begin(customer: &Customer, loyalty: &'a Loyalty, now: DateTime<Utc>) -> Self {
        let held = tier::held_by(customer, &loyalty.settings).clone();
        let mut customer = customer.clone();
        let lowered = tier::lower_if_due(&mut customer, loyalty, now);
        let entry = |change: &TierChange| {
            let what = EntryKind::TierChanged { change: change.clone(), order_id: None };
            ledger::entry(&customer, Points::ZERO, what, now)
        };
        let entries = lowered.iter().map(entry).collect();
        Self { customer, loyalty, now, held, lowered, entries }
    }

    /// Sets the tier, and writes the entries: what was due, the change of points, and its own change of tier.
    pub(super) fn conclude(
        mut self,
        points: Points,
        what: EntryKind,
        cause: TierCause,
        order: &OrderId,
    ) -> AccountChange {
        let own = tier::judge(&mut self.customer, self.loyalty, cause, self.now);
        self.entries.push(ledger::entry(&self.customer, points, what, self.now));
        if let Some(change) = own.clone() {
            let what = EntryKind::TierChanged { change, order_id: Some(order.clone()) };
            self.entries.push(ledger::entry(&self.customer, Points::ZERO, what, self.now));
        }
        let tier = tier::held_by(&self.customer, &self.loyalty.settings).clone();
        // What is answered is the change as a whole, with the cause of its last step.
        let last = own.or(self.lowered).filter(|_| tier != self.held);
        let tier_change = last.map(|last| TierChange { from: self.held, to: tier.clone(), cause: last.cause });
        let outcome = AccountSnapshot { balance: self.customer.points, tier, tier_change };
        AccountChange { customer: self.customer, entries: self.entries, outcome }
    }
}
