//! Random operations.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use harness::{Request, amendments, instant, scenario};
use serde_json::json;
use shared::domain::time;

pub(super) const CUSTOMERS: [&str; 3] = ["ada", "bo", "cy"];

/// An operation of the test.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Award {
        order: String,
        cents: i64,
    },
    /// Awards an order, or amends it. `as_of` is a minute of the model.
    AwardState {
        order: String,
        cents: i64,
        as_of: i64,
    },
    Amend {
        order: String,
        cents: i64,
        as_of: i64,
    },
    Cancel {
        order: String,
        as_of: i64,
    },
    Refund {
        order: String,
        refund: String,
        cents: Option<i64>,
    },
    VoidRefund {
        order: String,
        refund: String,
    },
    Redeem {
        order: String,
        points: i64,
        cents: i64,
    },
    Void {
        order: String,
    },
    Adjust {
        id: String,
        points: i64,
    },
    Hold {
        order: String,
        points: i64,
        cents: i64,
        minutes: i64,
    },
    Release {
        order: String,
    },
}

/// The instant of a minute of the model.
pub(super) fn instant_of(minute: i64) -> DateTime<Utc> {
    instant("2026-06-01T00:00:00Z") + TimeDelta::minutes(minute)
}

/// A random operation. The few ids make operations meet.
pub(super) fn random(rng: &mut Rng, now: i64) -> (&'static str, Act) {
    let who = CUSTOMERS[rng.usize(0..CUSTOMERS.len())];
    // Mostly a customer's own orders, and sometimes another customer's.
    let whose = if rng.u8(0..12) == 0 { CUSTOMERS[rng.usize(0..CUSTOMERS.len())] } else { who };
    let order = format!("{whose}-{}", rng.u8(0..25));
    let cents = [0, 99, 4_999, 12_050, 20_000][rng.usize(0..5)];
    let as_of = (now - [0, 0, 30, 3_000][rng.usize(0..4)]).max(0);
    let act = match rng.u8(0..17) {
        0..=2 => Act::Award { order, cents },
        14 => Act::AwardState { order, cents, as_of },
        15 => Act::Amend { order, cents, as_of },
        16 => Act::Cancel { order, as_of },
        3 | 4 => {
            let cents = [None, Some(1), Some(2_500), Some(cents)][rng.usize(0..4)];
            Act::Refund { order, refund: format!("r{}", rng.u8(0..3)), cents }
        }
        5..=7 => {
            Act::Redeem { order, points: [1, 60, 250, 700][rng.usize(0..4)], cents: [500, 20_000][rng.usize(0..2)] }
        }
        8 => Act::Void { order },
        9 => Act::VoidRefund { order, refund: format!("r{}", rng.u8(0..3)) },
        10 | 11 => {
            let (points, cents) = ([1, 60, 250, 700][rng.usize(0..4)], [500, 20_000][rng.usize(0..2)]);
            Act::Hold { order, points, cents, minutes: [1, 30, 1440][rng.usize(0..3)] }
        }
        12 => Act::Release { order },
        _ => Act::Adjust { id: format!("a{}", rng.u8(0..40)), points: [-40, 25, 300][rng.usize(0..3)] },
    };
    (who, act)
}

pub(super) fn request(who: &str, act: &Act) -> Request {
    let money = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    match act {
        Act::Award { order, cents } => scenario::award(who, order, &money(*cents), &json!({})),
        Act::AwardState { order, cents, as_of } => {
            amendments::award_state(who, order, &money(*cents), &time::text(instant_of(*as_of)))
        }
        Act::Amend { order, cents, as_of } => {
            amendments::amend(who, order, &money(*cents), &time::text(instant_of(*as_of)))
        }
        Act::Cancel { order, as_of } => amendments::cancel(who, order, &time::text(instant_of(*as_of))),
        Act::Refund { order, refund, cents } => {
            scenario::refund_request(who, order, refund, cents.map(money).as_deref())
        }
        Act::VoidRefund { order, refund } => scenario::void_refund(who, order, refund),
        Act::Redeem { order, points, cents } => scenario::redeem_points(who, order, *points, &money(*cents)),
        Act::Void { order } => scenario::void_points(who, order),
        Act::Adjust { id, points } => scenario::adjustment(who, id, *points),
        Act::Hold { order, points, cents, minutes } => {
            scenario::hold_points(who, order, *points, &money(*cents), &json!({"minutes": minutes}))
        }
        Act::Release { order } => scenario::release_points(who, order),
    }
}

/// The minutes until the next operation: mostly none, sometimes a few, sometimes days. Sometimes the operation comes in
/// the very minute of the next event, or in the minute before. `next` is the number of minutes until then.
pub(super) fn pause(rng: &mut Rng, next: i64) -> i64 {
    match rng.u8(0..24) {
        0 | 1 => rng.i64(1..40),
        2 => rng.i64(600..4000),
        3 | 4 => next,
        5 => (next - 1).max(0),
        _ => 0,
    }
}
