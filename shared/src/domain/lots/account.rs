//! The points of a customer: lots, holds and a debt.
//!
//! Points come as lots and are taken from lots. While there is a debt there are no lots, because every credit pays the
//! debt first. [`PointsAccount::advance`] applies what is due by the clock. Every change of an account begins with it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    hold::Hold,
    lot::{self, Lot, LotDates, sort_by_availability, sort_by_expiry},
};
use crate::domain::{ids::OrderId, money::Money, points::Points};

/// The points of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PointsAccount {
    lots: Vec<Lot>,
    /// What the customer owes after a refund of points that were already spent. Never negative.
    debt: Points,
    holds: Vec<Hold>,
    /// Points that a version without lots gave (positive) or took (negative). They are not in the lots yet.
    unassigned: Points,
}

/// Points that expired at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The points, more than 0.
    pub points: Points,
    /// The order whose hold lapsed, if the points expired because of it.
    pub order: Option<OrderId>,
    /// All points of the account after the expiry.
    pub balance: Points,
}

/// The figures of an account at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsFigures {
    /// All points that the customer owns, less the debt.
    pub points: Points,
    /// The points that the customer can spend.
    pub available: Points,
    /// The points that the customer can spend later.
    pub pending: Points,
    /// The points that checkouts have set aside.
    pub held: Points,
    /// The next instants at which points expire, with the points.
    pub expiring: Vec<(DateTime<Utc>, Points)>,
}

/// How many instants of [`PointsFigures::expiring`] are listed.
const EXPIRING_LISTED_MAX: usize = 3;

impl PointsAccount {
    /// The account of a customer with a balance from before points had dates: one lot without dates, or a debt.
    #[must_use]
    pub fn undated(balance: Points) -> Self {
        Self::restored(Vec::new(), Points::ZERO, Vec::new(), balance)
    }

    /// A stored account. `balance` is the sum of the ledger. A version that knows no lots may have changed it.
    #[must_use]
    pub fn restored(lots: Vec<Lot>, debt: Points, holds: Vec<Hold>, balance: Points) -> Self {
        let mut account = Self { lots, debt, holds, unassigned: Points::ZERO };
        account.unassigned = Points(balance.0.saturating_sub(account.points().0));
        // A surplus has no dates, whenever it came.
        if account.unassigned > Points::ZERO {
            let surplus = std::mem::replace(&mut account.unassigned, Points::ZERO);
            account.credit(Lot::new(surplus, LotDates::NONE).into_iter().collect());
        }
        account
    }

    /// The lots.
    #[must_use]
    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// The debt.
    #[must_use]
    pub const fn debt(&self) -> Points {
        self.debt
    }

    /// The holds.
    #[must_use]
    pub fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// All points that the customer owns, less the debt: the sum of the ledger.
    #[must_use]
    pub fn points(&self) -> Points {
        let held = self.holds.iter().map(|hold| hold.points().0).fold(0, i64::saturating_add);
        Points(lot::sum(&self.lots).0.saturating_add(held) - self.debt.0 + self.unassigned.0)
    }

    /// The points that can be spent at `now`. The account must be up to date.
    #[must_use]
    pub fn available(&self, now: DateTime<Utc>) -> Points {
        lot::sum(self.lots.iter().filter(|lot| lot.dates.is_available(now)))
    }

    /// The figures at `now`.
    #[must_use]
    pub fn figures(&self, now: DateTime<Utc>) -> PointsFigures {
        let mut account = self.clone();
        account.advance(now);
        let (owned, available) = (lot::sum(&account.lots), account.available(now));
        PointsFigures {
            points: account.points(),
            available,
            pending: Points(owned.0 - available.0),
            held: Points(account.holds.iter().map(|hold| hold.points().0).sum()),
            expiring: account.expiring().into_iter().take(EXPIRING_LISTED_MAX).collect(),
        }
    }

    /// Every instant at which points of lots expire, with the points. Points on hold are left out.
    #[must_use]
    pub fn expiring(&self) -> BTreeMap<DateTime<Utc>, Points> {
        let mut expiring: BTreeMap<DateTime<Utc>, Points> = BTreeMap::new();
        for Lot { points, dates } in &self.lots {
            if let Some(at) = dates.expires_at {
                expiring.entry(at).or_default().0 += points.0;
            }
        }
        expiring
    }

    /// The next instant at which the clock changes what the customer owns, if there is one.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        let lots = self.lots.iter().filter_map(|lot| lot.dates.expires_at);
        lots.chain(self.holds.iter().map(|hold| hold.until)).min()
    }

    /// Applies what is due by `now`, in the order of time: holds lapse, lots expire. Of one instant, holds lapse first.
    /// Returns what expired.
    pub fn advance(&mut self, now: DateTime<Utc>) -> Vec<Expiry> {
        self.advance_at_most(now, usize::MAX)
    }

    /// Like [`Self::advance`], but stops after a number of expiries. Another call continues.
    pub(super) fn advance_at_most(&mut self, now: DateTime<Utc>, expiries_max: usize) -> Vec<Expiry> {
        self.assign_shortfall(now);
        let mut expired = Vec::new();
        while expired.len() < expiries_max
            && let Some(at) = self.next_due().filter(|at| *at <= now)
        {
            if let Some(position) = self.holds.iter().position(|hold| hold.until == at) {
                let Hold { order, lots, .. } = self.holds.remove(position);
                expired.extend(self.end_hold(lots, at, order));
                continue;
            }
            let (gone, kept) =
                std::mem::take(&mut self.lots).into_iter().partition(|lot| lot.dates.expires_at == Some(at));
            self.lots = kept;
            let gone: Vec<Lot> = gone;
            expired.push(Expiry { at, points: lot::sum(&gone), order: None, balance: self.points() });
        }
        self.merge(now);
        expired
    }

    /// Takes what a version without lots took: as a reduction does, then from holds, latest first.
    fn assign_shortfall(&mut self, now: DateTime<Utc>) {
        let shortfall = std::mem::replace(&mut self.unassigned, Points::ZERO).negated();
        let lots = std::mem::take(&mut self.lots);
        let (taken, rest) = Self::sorted_split(lots, shortfall, now);
        self.lots = rest;
        let mut missing = shortfall.0 - lot::sum(&taken).0;
        self.holds.sort_by_key(|hold| hold.until);
        while missing > 0
            && let Some(mut hold) = self.holds.pop()
        {
            let (taken, rest) = Self::sorted_split(std::mem::take(&mut hold.lots), Points(missing), now);
            missing -= lot::sum(&taken).0;
            if !rest.is_empty() {
                self.credit(rest);
            }
        }
        self.debt = Points(self.debt.0 + missing.max(0));
    }

    fn sorted_split(mut lots: Vec<Lot>, points: Points, now: DateTime<Utc>) -> (Vec<Lot>, Vec<Lot>) {
        sort_by_availability(&mut lots, now);
        lot::split(lots, points, |_| true)
    }

    /// Makes one lot of lots with the same dates. An availability that is past distinguishes none.
    fn merge(&mut self, now: DateTime<Utc>) {
        let mut merged: Vec<Lot> = Vec::new();
        for Lot { points, dates } in std::mem::take(&mut self.lots) {
            let dates = dates.as_of(now);
            match merged.iter_mut().find(|lot| lot.dates == dates) {
                Some(lot) => lot.points = Points(lot.points.0 + points.0),
                None => merged.push(Lot { points, dates }),
            }
        }
        sort_by_expiry(&mut merged);
        self.lots = merged;
    }

    /// Pays the debt with some points, soonest expiry first. Returns the points that are left.
    fn pay_debt(&mut self, mut lots: Vec<Lot>) -> Vec<Lot> {
        sort_by_expiry(&mut lots);
        let (paid, rest) = lot::split(lots, self.debt, |_| true);
        self.debt = Points(self.debt.0 - lot::sum(&paid).0);
        rest
    }

    /// Adds points, after the debt.
    fn credit(&mut self, lots: Vec<Lot>) {
        let rest = self.pay_debt(lots);
        self.lots.extend(rest);
    }

    /// Adds points that are earned now. Points that have expired already pay a debt, and the rest expires at once.
    /// Returns the number of points that expired.
    pub fn earn(&mut self, points: Points, dates: LotDates, now: DateTime<Utc>) -> Points {
        let rest = self.pay_debt(Lot::new(points, dates).into_iter().collect());
        if dates.is_expired(now) {
            return lot::sum(&rest);
        }
        self.lots.extend(rest);
        self.merge(now);
        Points::ZERO
    }

    /// Returns points that were taken before. Points past their expiry expire at `late_expiry`.
    pub fn give_back(&mut self, lots: Vec<Lot>, late_expiry: DateTime<Utc>, now: DateTime<Utc>) {
        let rest = self.pay_debt(lots).into_iter().map(|Lot { points, dates }| {
            let late = LotDates { available_at: None, expires_at: Some(late_expiry) };
            Lot { points, dates: if dates.is_expired(now) { late } else { dates } }
        });
        self.lots.extend(rest);
        self.merge(now);
    }

    /// Takes available points, soonest expiry first. Returns `None` if there are not enough.
    #[must_use]
    pub fn take(&mut self, points: Points, now: DateTime<Utc>) -> Option<Vec<Lot>> {
        if self.available(now) < points {
            return None;
        }
        sort_by_expiry(&mut self.lots);
        let (taken, rest) = lot::split(std::mem::take(&mut self.lots), points, |dates| dates.is_available(now));
        self.lots = rest;
        Some(taken)
    }

    /// Takes points back: from the lot with these dates first, then available lots, then pending lots. What is missing
    /// becomes a debt. Holds keep their points.
    pub fn take_back(&mut self, points: Points, of: Option<LotDates>, now: DateTime<Utc>) {
        self.merge(now);
        let own = of.map(|dates| dates.as_of(now));
        let (taken, rest) = lot::split(std::mem::take(&mut self.lots), points, |dates| own == Some(*dates));
        let missing = Points(points.0 - lot::sum(&taken).0);
        let (more, rest) = Self::sorted_split(rest, missing, now);
        self.lots = rest;
        self.debt = Points(self.debt.0 + missing.0 - lot::sum(&more).0);
        self.merge(now);
    }

    /// The hold of an order.
    #[must_use]
    pub fn hold_of(&self, order: &OrderId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.order == *order)
    }

    /// Sets available points aside. Returns `None` if there are not enough.
    #[must_use]
    pub fn hold(
        &mut self,
        order: OrderId,
        points: Points,
        value: Money,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<&Hold> {
        let lots = self.take(points, now)?;
        self.holds.push(Hold { order, value, until, lots });
        self.holds.last()
    }

    /// Ends the hold of an order. Its points return, and points past their expiry expire now.
    pub fn release(&mut self, order: &OrderId, now: DateTime<Utc>) -> Option<(Hold, Option<Expiry>)> {
        let hold = self.remove_hold(order)?;
        let expired = self.end_hold(hold.lots.clone(), now, order.clone());
        self.merge(now);
        Some((hold, expired))
    }

    /// Takes points out of the hold of an order, soonest expiry first. The rest returns. Returns the points that were
    /// taken, and what expired with the rest.
    pub fn capture(
        &mut self,
        order: &OrderId,
        points: Points,
        now: DateTime<Utc>,
    ) -> Option<(Vec<Lot>, Option<Expiry>)> {
        let mut hold = self.remove_hold(order)?;
        sort_by_expiry(&mut hold.lots);
        let (taken, rest) = lot::split(hold.lots, points, |_| true);
        let expired = self.end_hold(rest, now, order.clone());
        self.merge(now);
        Some((taken, expired))
    }

    fn remove_hold(&mut self, order: &OrderId) -> Option<Hold> {
        let position = self.holds.iter().position(|hold| hold.order == *order)?;
        Some(self.holds.remove(position))
    }

    /// Returns the points of a hold that ended. Points past their expiry pay a debt, and the rest of them expires.
    fn end_hold(&mut self, lots: Vec<Lot>, at: DateTime<Utc>, order: OrderId) -> Option<Expiry> {
        let (gone, kept): (Vec<Lot>, Vec<Lot>) =
            self.pay_debt(lots).into_iter().partition(|lot| lot.dates.is_expired(at));
        self.lots.extend(kept);
        let points = lot::sum(&gone);
        (points > Points::ZERO).then(|| Expiry { at, points, order: Some(order), balance: self.points() })
    }
}
