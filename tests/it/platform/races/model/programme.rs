//! The programme: one point per dollar earned, and one dollar per 100 points redeemed, from one point on. Points of an
//! order can be spent from the second day after it, and until the end of the day a month later.

use std::collections::{BTreeMap, HashMap};

use super::{
    acts::Act,
    purse::{DAY, Point, Purse},
};

/// The state of an order.
#[derive(Default)]
struct Order {
    owner: Option<&'static str>,
    /// The cents first asked, and the points that the award earned.
    award: Option<(i64, Point)>,
    /// The newest state: its minute, its cents, and whether the order is cancelled.
    state: Option<(i64, i64, bool)>,
    /// In cents. `None` once the order is fully refunded or cancelled.
    left: Option<i64>,
    refunds: HashMap<String, Refund>,
    spent: Option<(Act, Vec<Point>)>,
    voided: bool,
}

/// The state of a refund, with amounts in cents. `Never` is a refund that was voided before it was made.
enum Refund {
    Made { asked: Option<i64>, cents: i64, after_expiry: bool, voided: bool },
    Never,
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) purses: BTreeMap<&'static str, Purse>,
    orders: HashMap<String, Order>,
    adjustments: HashMap<(&'static str, String), i64>,
}

/// The outcome of a request: new, a replay, or rejected with a code.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    New,
    Replay,
    No(&'static str),
}

/// The days of the months from June on.
const MONTHS: [i64; 5] = [30, 31, 31, 30, 31];

/// The point that is earned at `now`, and can be spent at once.
fn earned(now: i64) -> Point {
    let (mut day, mut start) = (now / DAY, 0);
    for pair in MONTHS.windows(2) {
        if day < pair[0] {
            let until = start + pair[0] + day.min(pair[1] - 1) + 1;
            return Point { from: 0, until: until * DAY };
        }
        day -= pair[0];
        start += pair[0];
    }
    panic!("the calendar of the model ends in September");
}

impl Order {
    fn award(&mut self, who: &'static str, state: (i64, i64, bool), purse: &mut Purse, now: i64) -> End {
        let point = Point { from: (now / DAY + 2) * DAY, ..earned(now) };
        (self.owner, self.award) = (Some(who), Some((state.1, point)));
        // A newer state may have come first, in which the order was cancelled.
        let state = self.state.filter(|recorded| *recorded > state).unwrap_or(state);
        self.state = Some(state);
        self.left = (!state.2).then_some(state.1);
        purse.earn(state.1 / 100, point);
        End::New
    }

    fn amend(&mut self, state: (i64, i64, bool), purse: &mut Purse, now: i64) -> End {
        let Some((_, point)) = self.award else {
            if !state.2 {
                return End::No("unknown_order");
            }
            if self.state >= Some(state) {
                return End::Replay;
            }
            self.state = Some(state);
            return End::New;
        };
        let recorded = self.state.unwrap();
        if state <= recorded {
            return End::Replay;
        }
        if (state.1, state.2) == (recorded.1, recorded.2) {
            self.state = Some(state);
            return End::Replay;
        }
        let refunds = self.refunds.values().map(|refund| match refund {
            Refund::Made { cents, voided: false, .. } => *cents,
            Refund::Made { .. } | Refund::Never => 0,
        });
        let refunded: i64 = refunds.sum();
        if state.1 < refunded && !state.2 {
            return End::No("refund_exceeds_order");
        }
        let (before, after) = (self.left.unwrap_or(0), (state.1 - refunded).max(0));
        let points = if point.until <= now { 0 } else { after / 100 - before / 100 };
        if points > 0 {
            purse.earn(points, point);
        } else {
            purse.take_back(-points, Some(point), now);
        }
        self.left = Some(after).filter(|after| !state.2 && (*after > 0 || refunded == 0));
        self.state = Some(state);
        End::New
    }

    fn refund(&mut self, refund: &str, asked: Option<i64>, purse: &mut Purse, now: i64) -> End {
        match (self.refunds.get(refund), self.left) {
            (Some(Refund::Never | Refund::Made { voided: true, .. }), _) => End::No("already_voided"),
            (Some(Refund::Made { asked: before, .. }), _) if *before == asked => End::Replay,
            (Some(_), _) => End::No("idempotency_mismatch"),
            (None, None) => End::No("already_refunded"),
            (None, Some(left)) if asked.is_some_and(|cents| cents > left) => End::No("refund_exceeds_order"),
            (None, Some(left)) => {
                let (rest, point) = (left - asked.unwrap_or(left), self.award.as_ref().unwrap().1);
                let after_expiry = point.until <= now;
                let made = Refund::Made { asked, cents: left - rest, after_expiry, voided: false };
                self.refunds.insert(refund.to_owned(), made);
                self.left = (rest > 0).then_some(rest);
                if !after_expiry {
                    purse.take_back(left / 100 - rest / 100, Some(point), now);
                }
                End::New
            }
        }
    }

    fn void_refund(&mut self, refund: &str, purse: &mut Purse, now: i64) -> End {
        match self.refunds.get_mut(refund) {
            Some(Refund::Never | Refund::Made { voided: true, .. }) => End::Replay,
            Some(Refund::Made { cents, after_expiry, voided, .. }) => {
                *voided = true;
                if self.state.is_some_and(|(_, _, cancelled)| cancelled) {
                    return End::New;
                }
                let before = self.left.unwrap_or(0);
                self.left = Some(before + *cents);
                let points = if *after_expiry { 0 } else { (before + *cents) / 100 - before / 100 };
                let point = self.award.as_ref().unwrap().1;
                purse.give_back((0..points).map(|_| point).collect(), now);
                End::New
            }
            None => {
                self.refunds.insert(refund.to_owned(), Refund::Never);
                End::New
            }
        }
    }

    fn hold(&self, id: &str, (points, cents, minutes): (i64, i64, i64), purse: &mut Purse, now: i64) -> End {
        if self.voided {
            return End::No("already_voided");
        }
        if self.spent.is_some() {
            return End::No("already_redeemed");
        }
        let mut after = purse.clone();
        after.release(id, now);
        if points > after.available(now) {
            return End::No("insufficient_points");
        }
        if points > cents {
            return End::No("exceeds_order_total");
        }
        after.hold(id, points, now + minutes, now);
        *purse = after;
        End::New
    }

    fn redeem(&mut self, who: &'static str, act: &Act, purse: &mut Purse, now: i64) -> End {
        let Act::Redeem { order: id, points, cents } = act else { unreachable!() };
        match &self.spent {
            _ if self.voided => return End::No("already_voided"),
            Some((Act::Redeem { points: before, cents: total, .. }, _)) if (before, total) == (points, cents) => {
                return End::Replay;
            }
            Some(_) => return End::No("idempotency_mismatch"),
            None => {}
        }
        let mut after = purse.clone();
        let held = after.hold_of(id).map_or(0, |hold| i64::try_from(hold.points.len()).unwrap());
        if held < *points {
            after.release(id, now);
        }
        if held < *points && *points > after.available(now) {
            return End::No("insufficient_points");
        }
        if points > cents {
            return End::No("exceeds_order_total");
        }
        let taken = if held < *points { after.take(*points, now) } else { after.capture(id, *points, now) };
        (self.owner, self.spent) = (Some(who), Some((act.clone(), taken)));
        *purse = after;
        End::New
    }
}

impl Model {
    pub(super) fn act(&mut self, who: &'static str, act: &Act, now: i64) -> End {
        let purse = self.purses.entry(who).or_default();
        purse.tick(now);
        let (Act::Award { order: id, .. }
        | Act::AwardState { order: id, .. }
        | Act::Amend { order: id, .. }
        | Act::Cancel { order: id, .. }
        | Act::Refund { order: id, .. }
        | Act::VoidRefund { order: id, .. }
        | Act::Redeem { order: id, .. }
        | Act::Hold { order: id, .. }
        | Act::Release { order: id }
        | Act::Void { order: id }) = act
        else {
            return self.adjust(who, act, now);
        };
        let order = self.orders.entry(id.clone()).or_default();
        if let Act::Refund { refund, .. } = act
            && let Some(Refund::Never) = order.refunds.get(refund)
        {
            return End::No("already_voided");
        }
        if order.award.is_none() && matches!(act, Act::Refund { .. }) {
            return End::No("unknown_order");
        }
        // A release is about the customer's own hold alone.
        if order.owner.is_some_and(|owner| owner != who) && !matches!(act, Act::Release { .. }) {
            return End::No("idempotency_mismatch");
        }
        match act {
            Act::Award { cents, .. } => match &order.award {
                Some((before, _)) if before == cents => End::Replay,
                Some(_) => End::No("idempotency_mismatch"),
                None => order.award(who, (now, *cents, false), purse, now),
            },
            Act::AwardState { cents, as_of, .. } if order.award.is_none() => {
                order.award(who, (*as_of, *cents, false), purse, now)
            }
            Act::AwardState { cents, as_of, .. } | Act::Amend { cents, as_of, .. } => {
                order.amend((*as_of, *cents, false), purse, now)
            }
            Act::Cancel { as_of, .. } => order.amend((*as_of, 0, true), purse, now),
            Act::Refund { refund, cents, .. } => order.refund(refund, *cents, purse, now),
            Act::VoidRefund { refund, .. } => order.void_refund(refund, purse, now),
            Act::Redeem { .. } => order.redeem(who, act, purse, now),
            Act::Hold { points, cents, minutes, .. } => order.hold(id, (*points, *cents, *minutes), purse, now),
            Act::Release { .. } => {
                purse.release(id, now);
                End::New
            }
            Act::Void { .. } if order.voided => End::Replay,
            Act::Void { .. } => {
                // The void of an unknown order records no owner.
                order.voided = true;
                match &order.spent {
                    Some((_, points)) => purse.give_back(points.clone(), now),
                    None => purse.release(id, now),
                }
                End::New
            }
            Act::Adjust { .. } => unreachable!(),
        }
    }

    fn adjust(&mut self, who: &'static str, act: &Act, now: i64) -> End {
        let Act::Adjust { id, points } = act else { unreachable!() };
        match self.adjustments.get(&(who, id.clone())) {
            Some(before) if before == points => End::Replay,
            Some(_) => End::No("idempotency_mismatch"),
            None => {
                self.adjustments.insert((who, id.clone()), *points);
                let purse = self.purses.entry(who).or_default();
                if *points > 0 {
                    purse.earn(*points, earned(now));
                } else {
                    purse.take_back(-points, None, now);
                }
                End::New
            }
        }
    }

    /// The lifetime value in cents and the order count of a customer.
    pub(super) fn bought(&self, who: &str) -> (i64, usize) {
        let left: Vec<i64> =
            self.orders.values().filter(|order| order.owner == Some(who)).filter_map(|order| order.left).collect();
        (left.iter().sum(), left.len())
    }
}
