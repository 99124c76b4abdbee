//! A change of a customer's points that may also change the tier.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::Customer,
    ids::OrderId,
    ledger::{Entry, EntryKind},
    lots::due::apply_due,
    loyalty::Loyalty,
    points::Points,
    text::SingleLine,
    tier::{self, TierCause, TierChange},
};

/// The account after an award or a refund. It is part of the answer and of every replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// The balance.
    pub balance: Points,
    /// The tier.
    pub tier: SingleLine,
    /// The change of tier, if the tier changed.
    pub tier_change: Option<TierChange>,
}

/// A change of a customer's points in progress. It may change the tier.
pub(super) struct PendingChange<'a> {
    /// The customer with the changes so far.
    pub(super) customer: Customer,
    loyalty: &'a Loyalty,
    now: DateTime<Utc>,
    /// The tier held before the change.
    held: SingleLine,
    /// The demotion that was due before the change.
    demotion: Option<TierChange>,
    entries: Vec<Entry>,
    /// The points of the change that expire at once.
    pub(super) expired: Points,
}

/// The result of a change.
pub(super) struct AccountChange {
    pub(super) customer: Customer,
    pub(super) entries: Vec<Entry>,
    pub(super) outcome: AccountSnapshot,
}

impl<'a> PendingChange<'a> {
    /// Starts a change, and applies what is due: points that expired, and then a demotion.
    pub(super) fn begin(customer: &Customer, loyalty: &'a Loyalty, now: DateTime<Utc>) -> Self {
        let held = tier::held_tier(customer, &loyalty.settings).clone();
        let mut customer = customer.clone();
        let mut entries = apply_due(&mut customer, now);
        let demotion = tier::demote_if_due(&mut customer, loyalty, now);
        let entry = |change: &TierChange| {
            let kind = EntryKind::TierChanged { change: change.clone(), order_id: None };
            Entry::new(&customer, Points::ZERO, kind, now)
        };
        entries.extend(demotion.iter().map(entry));
        Self { customer, loyalty, now, held, demotion, entries, expired: Points::ZERO }
    }

    /// Updates the tier and completes the entries, in this order: what was due, the change of points, the points of it
    /// that expire at once, the change of tier.
    pub(super) fn finish(
        mut self,
        points: Points,
        kind: EntryKind,
        cause: TierCause,
        order: &OrderId,
    ) -> AccountChange {
        let tier_change = tier::update_tier(&mut self.customer, self.loyalty, cause, self.now);
        let entry = Entry::new(&self.customer, points, kind, self.now);
        let expired = self.expired;
        self.entries.push(Entry { balance: Points(entry.balance.0 + expired.0), ..entry });
        if expired > Points::ZERO {
            let kind = EntryKind::PointsExpired { order_id: Some(order.clone()) };
            self.entries.push(Entry::new(&self.customer, expired.negated(), kind, self.now));
        }
        if let Some(change) = tier_change.clone() {
            let kind = EntryKind::TierChanged { change, order_id: Some(order.clone()) };
            self.entries.push(Entry::new(&self.customer, Points::ZERO, kind, self.now));
        }
        let tier = tier::held_tier(&self.customer, &self.loyalty.settings).clone();
        // The answer contains one change over all steps, with the cause of the last step.
        let last_step = tier_change.or(self.demotion).filter(|_| tier != self.held);
        let tier_change = last_step.map(|step| TierChange { from: self.held, to: tier.clone(), cause: step.cause });
        let outcome = AccountSnapshot { balance: self.customer.points(), tier, tier_change };
        AccountChange { customer: self.customer, entries: self.entries, outcome }
    }
}
