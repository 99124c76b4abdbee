//! A change of a customer's points that may also change the tier.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::Customer,
    ids::OrderId,
    ledger::{Entry, EntryKind},
    loyalty::Loyalty,
    points::Points,
    text::SingleLine,
    tier::{self, TierCause, TierChange},
};

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

/// A change of a customer's points that may move the tier, while it is worked out.
pub(super) struct PendingChange<'a> {
    /// The customer, so far.
    pub(super) customer: Customer,
    loyalty: &'a Loyalty,
    now: DateTime<Utc>,
    /// The tier held before it.
    held: SingleLine,
    /// The lowering that was due before it.
    demotion: Option<TierChange>,
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
        let held = tier::held_tier(customer, &loyalty.settings).clone();
        let mut customer = customer.clone();
        let demotion = tier::demote_if_due(&mut customer, loyalty, now);
        let entry = |change: &TierChange| {
            let kind = EntryKind::TierChanged { change: change.clone(), order_id: None };
            Entry::new(&customer, Points::ZERO, kind, now)
        };
        let entries = demotion.iter().map(entry).collect();
        Self { customer, loyalty, now, held, demotion, entries }
    }

    /// Sets the tier, and writes the entries: what was due, the change of points, and its own change of tier.
    pub(super) fn finish(
        mut self,
        points: Points,
        kind: EntryKind,
        cause: TierCause,
        order: &OrderId,
    ) -> AccountChange {
        let own = tier::update_tier(&mut self.customer, self.loyalty, cause, self.now);
        self.entries.push(Entry::new(&self.customer, points, kind, self.now));
        if let Some(change) = own.clone() {
            let kind = EntryKind::TierChanged { change, order_id: Some(order.clone()) };
            self.entries.push(Entry::new(&self.customer, Points::ZERO, kind, self.now));
        }
        let tier = tier::held_tier(&self.customer, &self.loyalty.settings).clone();
        // What is answered is the change as a whole, with the cause of its last step.
        let last = own.or(self.demotion).filter(|_| tier != self.held);
        let tier_change = last.map(|last| TierChange { from: self.held, to: tier.clone(), cause: last.cause });
        let outcome = AccountSnapshot { balance: self.customer.points, tier, tier_change };
        AccountChange { customer: self.customer, entries: self.entries, outcome }
    }
}
