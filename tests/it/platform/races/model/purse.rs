//! The points of a customer, each by itself. Time is in minutes since the start of the first day.

use std::collections::BTreeMap;

/// The minutes of a day.
pub(super) const DAY: i64 = 24 * 60;

/// A point: from when it can be spent, and until when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// Points set aside for an order.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) order: String,
    pub(super) until: i64,
    pub(super) points: Vec<Point>,
}

/// All points of a customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Purse {
    free: Vec<Point>,
    holds: Vec<Hold>,
    debt: i64,
}

fn count<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap()
}

impl Purse {
    /// All points, less the debt.
    pub(super) fn owned(&self) -> i64 {
        count(&self.free) + self.held() - self.debt
    }

    pub(super) fn available(&self, now: i64) -> i64 {
        count(&self.free.iter().filter(|point| point.from <= now).collect::<Vec<_>>())
    }

    pub(super) fn pending(&self, now: i64) -> i64 {
        count(&self.free) - self.available(now)
    }

    pub(super) fn held(&self) -> i64 {
        self.holds.iter().map(|hold| count(&hold.points)).sum()
    }

    /// The next three instants at which free points expire, and how many.
    pub(super) fn expiring(&self) -> Vec<(i64, i64)> {
        let mut all: BTreeMap<i64, i64> = BTreeMap::new();
        for point in &self.free {
            *all.entry(point.until).or_default() += 1;
        }
        all.into_iter().take(3).collect()
    }

    /// The next minute after `now` in which a hold lapses, or points become available or expire.
    pub(super) fn next_event(&self, now: i64) -> Option<i64> {
        let points = self.free.iter().flat_map(|point| [point.from, point.until]);
        points.chain(self.holds.iter().map(|hold| hold.until)).filter(|at| *at > now).min()
    }

    /// Goes from one event to the next: holds lapse, then points expire.
    pub(super) fn tick(&mut self, now: i64) {
        let next = |purse: &Self| {
            let expiries = purse.free.iter().map(|point| point.until);
            expiries.chain(purse.holds.iter().map(|hold| hold.until)).min().filter(|at| *at <= now)
        };
        while let Some(at) = next(self) {
            while let Some(position) = self.holds.iter().position(|hold| hold.until == at) {
                let hold = self.holds.remove(position);
                self.put_back(hold.points, at);
            }
            self.free.retain(|point| point.until > at);
        }
    }

    /// Pays the debt with the points that expire soonest. Returns the others.
    fn pay(&mut self, mut points: Vec<Point>) -> Vec<Point> {
        points.sort_by_key(|point| point.until);
        while self.debt > 0 && !points.is_empty() {
            points.remove(0);
            self.debt -= 1;
        }
        points
    }

    /// Returns the points of a hold. Those past their expiry are gone.
    fn put_back(&mut self, points: Vec<Point>, at: i64) {
        let rest = self.pay(points);
        self.free.extend(rest.into_iter().filter(|point| point.until > at));
    }

    pub(super) fn earn(&mut self, points: i64, point: Point) {
        let rest = self.pay((0..points).map(|_| point).collect());
        self.free.extend(rest);
    }

    /// Returns points of a redemption or of a refund. Those past their expiry live for 30 days more.
    pub(super) fn give_back(&mut self, points: Vec<Point>, now: i64) {
        let late = Point { from: 0, until: (now / DAY + 31) * DAY };
        let rest = self.pay(points).into_iter().map(|point| if point.until <= now { late } else { point });
        self.free.extend(rest);
    }

    /// Takes available points, soonest expiry first.
    pub(super) fn take(&mut self, points: i64, now: i64) -> Vec<Point> {
        self.free.sort_by_key(|point| (point.from > now, point.until));
        self.free.drain(..usize::try_from(points).unwrap()).collect()
    }

    /// Takes the points that are like `own`, then available ones, then pending ones. The rest is a debt.
    pub(super) fn take_back(&mut self, points: i64, own: Option<Point>, now: i64) {
        let is_own =
            |point: &Point| own.is_some_and(|own| own.until == point.until && own.from.max(now) == point.from.max(now));
        self.free.sort_by_key(|point| (!is_own(point), point.from.max(now), point.until));
        let taken = points.min(count(&self.free));
        self.free.drain(..usize::try_from(taken).unwrap());
        self.debt += points - taken;
    }

    pub(super) fn hold_of(&self, order: &str) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.order == order)
    }

    pub(super) fn release(&mut self, order: &str, now: i64) {
        if let Some(hold) = self.remove_hold(order) {
            self.put_back(hold.points, now);
        }
    }

    pub(super) fn hold(&mut self, order: &str, points: i64, until: i64, now: i64) {
        let points = self.take(points, now);
        self.holds.push(Hold { order: order.to_owned(), until, points });
    }

    /// Takes points of the hold of an order, and returns the others.
    pub(super) fn capture(&mut self, order: &str, points: i64, now: i64) -> Vec<Point> {
        let mut held = self.remove_hold(order).unwrap().points;
        held.sort_by_key(|point| point.until);
        let rest = held.split_off(usize::try_from(points).unwrap());
        self.put_back(rest, now);
        held
    }

    fn remove_hold(&mut self, order: &str) -> Option<Hold> {
        let position = self.holds.iter().position(|hold| hold.order == order)?;
        Some(self.holds.remove(position))
    }
}
