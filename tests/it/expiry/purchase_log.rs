//! The liability of the purchase log, for every day of eighteen months.

use std::collections::{BTreeSet, HashMap};

use back_office::liability::{LiabilityRequest, ListLiability};
use chrono::{DateTime, Days, NaiveDate, Utc};
use harness::{Request, World, lists::read_all, purchase_log, scenario, valid, world::ORG};
use serde_json::json;
use shared::domain::earning::award::Order;

use super::{days::check_days, support::run_at};

const FIRST_DAY: &str = "1997-01-01";
const LAST_DAY: &str = "1998-06-30";

/// The mornings without a run.
const OUTAGE: [&str; 3] = ["1997-07-14", "1997-07-15", "1997-07-16"];

/// Sends an order that may be refused.
async fn try_to(world: &World, request: Request, at: DateTime<Utc>) {
    let answer = world.send_at(&request, at).await;
    assert!(answer.status.is_success() || answer.status == 409, "{}", answer.body);
}

/// Plays the orders of a day. Every third order is paid in part with points, and every tenth is returned in part.
async fn play_day(world: &World, day: NaiveDate, orders: &[(usize, &Order)]) {
    let noon = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    for (number, order) in orders {
        let (customer, id) = (order.customer.as_str(), order.id.as_str());
        let award = scenario::award(customer, id, &order.total.decimal().to_string(), &json!({}));
        assert_eq!(world.send_at(&award, noon).await.status, 201);
        if number % 3 == 0 {
            try_to(world, scenario::redeem_points(customer, id, 100, "49.99"), noon).await;
        }
        if number % 10 == 0 {
            try_to(world, scenario::refund_request(customer, id, "back", Some("5")), noon).await;
        }
    }
}

/// Plays the log of every nth customer with a run each morning, and compares each closed day with the ledgers.
async fn check_every(nth: usize) {
    let world = World::new().await;
    world.put_loyalty(ORG, &json!({"pointsExpiry": {"months": 6}, "pendingDays": 14})).await;
    let log = purchase_log::orders();
    let all: BTreeSet<&str> = log.iter().map(|order| order.customer.as_str()).collect();
    let customers: Vec<&str> = all.into_iter().step_by(nth).collect();
    for customer in &customers {
        world.put_customer(ORG, customer, &json!({})).await;
    }
    let mut of_day: HashMap<NaiveDate, Vec<(usize, &Order)>> = HashMap::new();
    let played = log.iter().filter(|order| customers.binary_search(&order.customer.as_str()).is_ok());
    for (number, order) in played.enumerate() {
        of_day.entry(order.fulfilled_at.date_naive()).or_default().push((number, order));
    }
    let (first, last): (NaiveDate, NaiveDate) = (FIRST_DAY.parse().unwrap(), LAST_DAY.parse().unwrap());
    for day in first.iter_days().take_while(|day| *day <= last) {
        if day > first && !OUTAGE.contains(&day.to_string().as_str()) {
            run_at(&world, &format!("{day}T06:00:00Z"), &json!({"orgId": ORG})).await;
        }
        play_day(&world, day, of_day.get(&day).map_or(&[][..], Vec::as_slice)).await;
    }
    let end = format!("{}T06:00:00Z", last.checked_add_days(Days::new(1)).unwrap());
    run_at(&world, &end, &json!({"orgId": ORG})).await;

    let page = |cursor| LiabilityRequest { org_id: valid(ORG), from: None, to: None, limit: valid(100), cursor };
    let days = read_all::<ListLiability>(&world, "days", page).await;
    let dates: Vec<&str> = days.iter().map(|day| day["date"].as_str().unwrap()).collect();
    let expected = first.iter_days().take_while(|day| *day <= last).map(|day| day.to_string());
    assert_eq!(dates, expected.collect::<Vec<_>>());
    check_days(&world, &customers, &days, &end).await;
    let sum = |figure: &str| -> i64 { days.iter().map(|day| day[figure].as_i64().unwrap()).sum() };
    for figure in ["earned", "redeemed", "expired", "reversed"] {
        assert_ne!(sum(figure), 0, "{figure}");
    }
    assert!(days.iter().all(|day| day["late"] == 0));
}

#[tokio::test]
async fn every_day_of_the_purchase_log_agrees_with_the_ledgers_of_every_tenth_customer() {
    check_every(10).await;
}

#[tokio::test]
#[ignore = "a longer run: make soak"]
async fn every_day_of_the_purchase_log_agrees_with_the_ledgers_of_all_customers() {
    check_every(1).await;
}
