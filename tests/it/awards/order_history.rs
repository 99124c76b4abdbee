//! The order dates stored with a customer: the last dozen, and the number of days with earlier orders.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use harness::{World, instant, rules, scenario, world::ORG};
use proptest::prelude::*;
use serde_json::json;
use shared::domain::{
    churn::observation::Observation,
    customer::{Customer, CustomerProfile},
    earning::{
        award::{Award, Order},
        refund,
    },
    loyalty::{Loyalty, LoyaltySettings},
    money::Money,
    orders::OrderHistory,
    zone::Zone,
};

fn start() -> DateTime<Utc> {
    instant("2026-01-01T00:00:00Z")
}

fn hours(hours: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(hours)
}

/// A customer and their awards.
struct History {
    customer: Customer,
    awards: Vec<Award>,
}

impl History {
    fn new() -> Self {
        Self {
            customer: Customer::new("ada".to_owned().try_into().unwrap(), CustomerProfile::default()),
            awards: vec![],
        }
    }

    fn of(all: impl IntoIterator<Item = i64>) -> Self {
        let mut history = Self::new();
        all.into_iter().for_each(|at| history.order(hours(at)));
        history
    }

    fn order(&mut self, at: DateTime<Utc>) {
        let order = Order {
            id: format!("o{}", self.awards.len()).try_into().unwrap(),
            customer: self.customer.id.clone(),
            total: Money::from_request(10.into()).unwrap(),
            equity_status: false,
            fulfilled_at: at,
        };
        let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
        let awarded = rules::award(&self.customer, &loyalty, Zone::UTC, order, at).unwrap();
        self.customer = awarded.customer;
        self.awards.push(awarded.award);
    }

    /// Refunds the order that was awarded as number `index`.
    fn refund(&mut self, index: usize) {
        let loyalty = Loyalty::replaced(None, LoyaltySettings::default());
        let id = "r".to_owned().try_into().unwrap();
        let refunded = refund::refund(&self.customer, &loyalty, &self.awards[index], id, None, start()).unwrap();
        self.customer = refunded.customer;
    }

    fn orders(&self) -> &OrderHistory {
        self.customer.orders.as_ref().unwrap()
    }

    fn recent_hours(&self) -> Vec<i64> {
        self.orders().recent.iter().map(|at| (*at - start()).num_hours()).collect()
    }
}

#[test]
fn the_history_keeps_the_last_dozen_orders_and_counts_the_days_of_older_ones() {
    let every_other_day = History::of((0..20).map(|order| order * 48));
    assert_eq!(every_other_day.recent_hours(), (8..20).map(|order| order * 48).collect::<Vec<_>>());
    assert_eq!(every_other_day.orders().earlier_days, 8);
    assert_eq!(every_other_day.orders().first_at, start());

    let three_a_day = History::of((0..60).map(|order| order * 8));
    assert_eq!(three_a_day.orders().earlier_days, 16, "twenty days, of which the dozen has four");

    let across_the_border = History::of((0..13).map(|order| order * 12));
    let days = across_the_border.orders().earlier_days;
    assert_eq!(days, 0, "the day of the one that is gone is that of the oldest remembered");
}

#[test]
fn a_late_order_is_inserted_at_its_date() {
    let mut history = History::of([0, 100, 300]);
    history.order(hours(200));
    assert_eq!(history.recent_hours(), [0, 100, 200, 300]);
    history.order(hours(-50));
    assert_eq!(history.recent_hours(), [-50, 0, 100, 200, 300]);
    assert_eq!((history.orders().first_at, history.orders().last_at), (hours(-50), hours(300)));
}

#[test]
fn a_late_order_older_than_the_dozen_counts_as_a_day_unless_the_day_is_known() {
    let mut history = History::of((0..14).map(|order| order * 48));
    let dozen = history.recent_hours();
    assert_eq!(history.orders().earlier_days, 2);
    history.order(hours(24));
    assert_eq!(history.orders().earlier_days, 3);
    history.order(hours(1));
    assert_eq!(history.orders().earlier_days, 3, "the day of the first order");
    history.order(hours(96 - 20));
    assert_eq!(history.orders().earlier_days, 4);
    history.order(hours(-240));
    assert_eq!((history.orders().earlier_days, history.orders().first_at), (5, hours(-240)));
    assert_eq!(history.recent_hours(), dozen, "the dozen are still the latest");
    assert_eq!(history.customer.order_count(), 18);
}

#[test]
fn a_fully_refunded_order_is_removed_from_the_history() {
    let mut history = History::of([0, 100, 200]);
    history.refund(1);
    assert_eq!(history.recent_hours(), [0, 200]);
    history.refund(2);
    history.refund(0);
    assert_eq!(history.customer.orders, None);

    let mut long = History::of((0..20).map(|order| order * 48));
    long.refund(0);
    assert_eq!((long.orders().earlier_days, long.orders().recent.len()), (7, 12));
    long.refund(19);
    assert_eq!((long.orders().earlier_days, long.orders().recent.len()), (7, 11));
    long.order(hours(5000));
    assert_eq!((long.orders().earlier_days, long.orders().recent.len()), (7, 12));
    for order in (8..19).chain([20]) {
        long.refund(order);
    }
    assert_eq!((long.orders().earlier_days, long.orders().recent.len(), long.customer.order_count()), (7, 0, 7));
    long.order(hours(6000));
    assert_eq!((long.recent_hours(), long.customer.order_count()), (vec![6000], 8));
}

#[test]
fn a_remembered_order_falls_on_a_day_of_the_orgs_time_zone() {
    let auckland: Zone = "Pacific/Auckland".parse().unwrap();
    // Auckland is thirteen hours ahead in January, so these orders are on one day there and on two in UTC.
    let history = History::of([12, 34]);
    let now = hours(24 * 10);
    assert_eq!(Observation::of(history.orders(), auckland, now).repeats(), 0);
    assert_eq!(Observation::of(history.orders(), Zone::UTC, now), Observation::new(1, 1, 10));
}

#[test]
fn the_model_does_not_count_a_refunded_order() {
    let mut history = History::of([0, 24 * 10, 24 * 20]);
    history.refund(2);
    assert_eq!(Observation::of(history.orders(), Zone::UTC, hours(24 * 30)), Observation::new(1, 10, 30));
    history.refund(0);
    assert_eq!(Observation::of(history.orders(), Zone::UTC, hours(24 * 30)), Observation::new(0, 0, 20));
}

#[test]
fn an_order_dated_in_the_future_counts_as_of_today() {
    let history = History::of([0, 48]);
    assert_eq!(Observation::of(history.orders(), Zone::UTC, hours(24)), Observation::new(1, 2, 2));
}

#[tokio::test]
async fn a_customer_keeps_a_dozen_order_dates_and_an_item_without_them_is_read() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for day in 10..25 {
        let body = json!({"fulfilledAt": format!("2026-05-{day}T09:00:00Z")});
        world.send(&scenario::award("ada", &format!("o{day}"), "20", &body)).await;
    }
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let item = world.client.get_item().table_name(&world.table).key("pk", text("CUSTOMER#shop#ada"));
    let item = item.key("sk", text("PROFILE")).send().await.unwrap().item.unwrap();
    let recent = item["orders"].as_m().unwrap()["recent"].as_m().unwrap();
    let instants: Vec<_> = recent["at"].as_l().unwrap().iter().map(|at| at.as_s().unwrap().as_str()).collect();
    assert_eq!(instants.len(), 12);
    assert_eq!((instants[0], instants[11]), ("2026-05-13T09:00:00.000Z", "2026-05-24T09:00:00.000Z"));
    assert_eq!(recent["earlierDays"].as_n().unwrap(), "3");

    let forget = world.client.update_item().table_name(&world.table).key("pk", text("CUSTOMER#shop#ada"));
    let forget = forget.key("sk", text("PROFILE")).update_expression("REMOVE orders.recent");
    forget.send().await.unwrap();
    let read = world.get("/orgs/shop/customers/ada").await;
    assert_eq!((read.status.as_u16(), &read.body["orderCount"]), (200, &json!(15)));
    let next = world.send(&scenario::award("ada", "next", "20", &json!({}))).await;
    assert_eq!(next.status, 201, "{:?}", next.body);
}

#[test]
fn an_item_without_order_dates_counts_each_order_as_a_separate_day() {
    let orders = OrderHistory::dated(5.try_into().unwrap(), hours(0), hours(24 * 10));
    assert_eq!(Observation::of(&orders, Zone::UTC, hours(24 * 30)), Observation::new(4, 10, 30));
    let one = OrderHistory::dated(1.try_into().unwrap(), hours(0), hours(0));
    assert_eq!(Observation::of(&one, Zone::UTC, hours(24 * 30)), Observation::new(0, 0, 30));
}

proptest! {
    #[test]
    fn orders_in_date_order_count_each_day_once(mut at in prop::collection::vec(0_i64..2000, 1..60)) {
        at.sort_unstable();
        let mut days: Vec<_> = at.iter().map(|hours| hours / 24).collect();
        days.dedup();
        let history = History::of(at.clone());
        let (first, last) = (days[0], days[days.len() - 1]);
        let day = |day: i64| u32::try_from(day - first).unwrap();
        let expected = Observation::new(u32::try_from(days.len() - 1).unwrap(), day(last), day(100));
        prop_assert_eq!(Observation::of(history.orders(), Zone::UTC, hours(2400)), expected);
        prop_assert_eq!(history.recent_hours(), &at[at.len().saturating_sub(12)..]);
    }

    #[test]
    fn the_history_stays_consistent_for_orders_and_refunds_in_any_sequence(
        acts in prop::collection::vec((0_i64..2000, 0_u8..4), 1..80),
    ) {
        let mut history = History::new();
        let mut left: Vec<(usize, i64)> = Vec::new();
        for (at, act) in acts {
            if act == 0 && !left.is_empty() {
                let (index, _) = left.remove(usize::try_from(at).unwrap() % left.len());
                history.refund(index);
            } else {
                left.push((history.awards.len(), at));
                history.order(hours(at));
            }
        }
        prop_assert_eq!(history.customer.order_count() as usize, left.len());
        let Some(orders) = &history.customer.orders else { return Ok(()) };
        prop_assert!(orders.recent.is_sorted() && orders.recent.len() <= OrderHistory::RECENT_MAX.min(left.len()));
        prop_assert!(orders.earlier_days as usize <= left.len());
        let there: Vec<_> = left.iter().map(|(_, at)| hours(*at)).collect();
        prop_assert!(orders.recent.iter().all(|at| there.contains(at)), "only orders that still count");
    }
}
