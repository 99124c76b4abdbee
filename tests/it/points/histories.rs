//! What holds for every history of a customer: random operations, far apart and close together, and readings at any
//! instant.

use chrono::{DateTime, TimeDelta, Utc};
use harness::instant;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::domain::{lots::due, rejection::Rejection};

use super::account::{Account, Step, org, settings};

/// Settings under which a history is played.
fn programmes() -> impl Strategy<Value = Value> {
    let expiry = prop_oneof![
        Just(Value::Null),
        Just(json!({"months": 1, "roundTo": "day"})),
        Just(json!({"months": 1})),
        Just(json!({"months": 2})),
    ];
    (expiry, prop_oneof![Just(0), Just(1), Just(20)]).prop_map(|(expiry, pending)| {
        json!({
            "redemptionTiers": [], "tiers": [{"name": "Only", "threshold": 0}],
            "pendingDays": pending, "pointsExpiry": expiry,
        })
    })
}

/// An operation, and the minutes since the one before.
#[derive(Debug, Clone)]
struct Act {
    pause: i64,
    op: &'static str,
    order: u8,
    points: i64,
    minutes: i64,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let op = prop_oneof![
        3 => Just("award"), 2 => Just("adjust"), 2 => Just("adjust down"), 2 => Just("refund"),
        1 => Just("voidRefund"), 4 => Just("hold"), 3 => Just("redeem"), 1 => Just("release"), 2 => Just("void"),
    ];
    let pause = prop_oneof![6 => Just(0), 2 => 1_i64..60, 2 => 600_i64..30_000];
    let act = (pause, op, 0_u8..6, 1_i64..120, prop_oneof![Just(1_i64), Just(30), Just(1440)]);
    let act = act.prop_map(|(pause, op, order, points, minutes)| Act { pause, op, order, points, minutes });
    prop::collection::vec(act, 1..40)
}

/// The step of an act. Returns `None` if it has nothing to act on, as the store would find.
fn step(account: &Account, act: &Act, at: DateTime<Utc>) -> Option<Step> {
    let order = format!("o{}", act.order);
    let refund = format!("{order}-r");
    let is_possible = match act.op {
        "award" => !account.awards.contains_key(&order),
        "refund" => account.awards.contains_key(&order) && !account.refunds.contains_key(&refund),
        "voidRefund" => account.refunds.get(&refund).is_some_and(|refund| refund.voided.is_none()),
        _ => true,
    };
    is_possible.then(|| Step {
        at,
        op: act.op.split(' ').next().unwrap_or_default().to_owned(),
        order: Some(order),
        total: Some(json!(act.points)),
        points: Some(if act.op == "adjust down" { -act.points } else { act.points }),
        order_total: Some(json!(1000)),
        minutes: Some(act.minutes),
        refund_id: Some(refund),
        ..Step::default()
    })
}

/// Plays acts from June 1 on, and calls `check` after each. Returns the account and the instant of the last act.
fn play(programme: &Value, acts: &[Act], mut check: impl FnMut(&Account, DateTime<Utc>)) -> (Account, DateTime<Utc>) {
    let mut account = Account::new(org("America/New_York", settings(programme)));
    let mut now = instant("2026-06-01T12:00:00Z");
    for act in acts {
        now += TimeDelta::minutes(act.pause);
        if let Some(step) = step(&account, act, now) {
            let before = account.clone();
            if account.play(&step).is_err() {
                assert_eq!(account.customer, before.customer, "a rejection changes nothing");
            }
            check(&account, now);
        }
    }
    (account, now)
}

fn number(figures: &Value, name: &str) -> i64 {
    figures[name].as_i64().unwrap()
}

proptest! {
    #[test]
    fn no_figure_is_negative_and_the_points_are_the_sum_of_all_entries_recorded_and_due(
        programme in programmes(), acts in acts(), later in 0_i64..150_000,
    ) {
        play(&programme, &acts, |account, now| {
            for at in [now, now + TimeDelta::minutes(later)] {
                let figures = account.figures(at);
                let parts = ["availablePoints", "pendingPoints", "heldPoints"].map(|name| number(&figures, name));
                assert!(parts.iter().all(|points| *points >= 0), "{figures}");
                let due = due::due_entries(&account.customer, at);
                let entries = account.entries.iter().chain(&due);
                let mut balance = 0;
                for entry in entries {
                    balance += entry.points.0;
                    assert_eq!(entry.balance.0, balance, "{entry:?}");
                }
                assert_eq!(number(&figures, "points"), balance);
                let debt = parts.iter().sum::<i64>() - balance;
                assert!(debt == 0 || debt > 0 && parts[0] + parts[1] == 0, "{figures}");
                let expiring = figures["expiringPoints"].as_array().unwrap();
                assert!(expiring.iter().all(|expiry| number(expiry, "points") > 0), "{figures}");
            }
        });
    }

    #[test]
    fn expiry_never_takes_what_is_held(programme in programmes(), acts in acts(), later in 0_i64..150_000) {
        play(&programme, &acts, |account, now| {
            let at = now + TimeDelta::minutes(later);
            let holds = account.customer.account.holds().iter().filter(|hold| hold.until > at);
            let held: i64 = holds.map(|hold| hold.points().0).sum();
            assert_eq!(number(&account.figures(at), "heldPoints"), held);
        });
    }

    #[test]
    fn a_reading_is_what_a_recording_at_that_instant_would_be_in_one_step_or_in_many(
        programme in programmes(), acts in acts(), mut pauses in prop::collection::vec(0_i64..90_000, 1..6),
    ) {
        let (account, now) = play(&programme, &acts, |_, _| ());
        pauses.sort_unstable();
        let end = now + TimeDelta::minutes(*pauses.last().unwrap());
        let mut recorded = account.clone();
        let mut entries = Vec::new();
        for pause in pauses {
            let at = now + TimeDelta::minutes(pause);
            let read = account.figures(at);
            entries.extend(due::apply_due(&mut recorded.customer, at));
            prop_assert_eq!(recorded.figures(at), read);
        }
        prop_assert_eq!(entries, due::due_entries(&account.customer, end));
        let mut at_once = account;
        due::apply_due(&mut at_once.customer, end);
        prop_assert_eq!(&recorded.customer, &at_once.customer);
        prop_assert!(due::due_entries(&at_once.customer, end).is_empty());
    }

    #[test]
    fn the_order_of_unrelated_operations_of_one_instant_does_not_matter_to_totals(
        programme in programmes(), acts in acts(), credits in prop::collection::vec((10_u8..16, 1_i64..120), 2..6),
        later in 0_i64..150_000,
    ) {
        let (account, now) = play(&programme, &acts, |_, _| ());
        // Points of an order may be pending, and points given by an operator never are.
        let credit = |(order, points): &(u8, i64)| {
            let op = if order % 2 == 0 { "award" } else { "adjust" };
            Act { pause: 0, op, order: *order, points: *points, minutes: 1 }
        };
        let in_order = |credits: &mut dyn Iterator<Item = &(u8, i64)>| {
            let mut account = account.clone();
            for one in credits {
                let step = step(&account, &credit(one), now).unwrap();
                account.play(&step).unwrap();
            }
            account
        };
        let mut unique = credits;
        unique.sort_unstable();
        unique.dedup_by_key(|(order, _)| *order);
        let (one, other) = (in_order(&mut unique.iter()), in_order(&mut unique.iter().rev()));
        for at in [now, now + TimeDelta::minutes(later)] {
            let (one, other) = (one.figures(at), other.figures(at));
            prop_assert_eq!(&one["points"], &other["points"]);
            // A debt is paid by the credit that comes first.
            if account.customer.account.debt().0 == 0 {
                prop_assert_eq!(one, other);
            }
        }
    }

    #[test]
    fn a_hold_that_is_released_at_once_changes_nothing(
        programme in programmes(), acts in acts(), points in 1_i64..120,
    ) {
        let (account, now) = play(&programme, &acts, |_, _| ());
        let act = |op| Act { pause: 0, op, order: 20, points, minutes: 30 };
        let mut held = account.clone();
        let hold = step(&held, &act("hold"), now).unwrap();
        let outcome = held.play(&hold);
        prop_assume!(!matches!(outcome, Err(Rejection::TooManyHolds)));
        if outcome.is_ok() {
            let set_aside = number(&held.figures(now), "heldPoints") - number(&account.figures(now), "heldPoints");
            prop_assert_eq!(set_aside, points);
        }
        let release = step(&held, &act("release"), now).unwrap();
        held.play(&release).unwrap();
        prop_assert_eq!(held.figures(now), account.figures(now));
    }
}
