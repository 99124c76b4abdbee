//! Points in time: every row of the vectors, step by step and with all entries.

use chrono::{DateTime, Utc};
use harness::vectors::every_row;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::{lots::due, time};

use super::account::{Account, Step, org, settings};

/// A history of one customer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    timezone: String,
    settings: Value,
    steps: Vec<Step>,
    entries: Value,
}

/// The kind, the points and the instant of each entry. Entries of one instant may come in any order.
fn sorted_entries(entries: impl Iterator<Item = (String, i64, DateTime<Utc>)>) -> Vec<Value> {
    let mut all: Vec<_> = entries.map(|(kind, points, at)| (at, kind, points)).collect();
    all.sort();
    all.into_iter().map(|(at, kind, points)| json!([time::text(at), kind, points])).collect()
}

#[test]
fn every_vector_of_points_in_time_holds() {
    every_row("points_in_time.json", 250, |row: &History| {
        let mut account = Account::new(org(&row.timezone, settings(&row.settings)));
        let (mut actual, mut expected) = (Vec::new(), Vec::new());
        for step in &row.steps {
            let outcome = account.play(step);
            let mut figures = account.figures(step.at);
            if let Err(rejection) = outcome {
                figures["code"] = rejection.code().into();
            }
            actual.push(figures);
            expected.push(step.expect.clone());
            let balance = account.entries.iter().map(|entry| entry.points.0).sum::<i64>();
            assert_eq!(account.customer.points().0, balance, "the balance is the sum of the entries");
        }
        let end = row.steps.last().unwrap().at;
        account.entries.extend(due::due_entries(&account.customer, end));
        let written = account.entries.iter().filter(|entry| entry.kind.name() != "tier_changed");
        let written = sorted_entries(written.map(|entry| (entry.kind.name().to_owned(), entry.points.0, entry.at)));
        let ought = row.entries.as_array().unwrap().iter().map(|entry| {
            let at = entry["at"].as_str().unwrap().parse().unwrap();
            (entry["kind"].as_str().unwrap().to_owned(), entry["points"].as_i64().unwrap(), at)
        });
        (json!([actual, written]), json!([expected, sorted_entries(ought)]))
    });
}

#[test]
fn a_balance_of_before_is_one_lot_without_dates() {
    use shared::domain::{
        lots::{account::PointsAccount, lot::LotDates},
        points::Points,
    };
    let account = PointsAccount::undated(Points(120));
    assert_eq!((account.lots().len(), account.lots()[0].dates), (1, LotDates::NONE));
    assert_eq!(PointsAccount::undated(Points(-30)).points(), Points(-30), "a debt");
}
