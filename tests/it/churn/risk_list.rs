//! Customers listed by risk level.

use harness::{Request, World, customers, instant, scenario, world::ORG};
use serde_json::json;

use super::support::{NOON, customer, of, run, run_at};

#[tokio::test]
async fn a_risk_list_shows_current_customers_with_the_most_valuable_first() {
    let world = World::new().await;
    for (name, total) in [("small", "10"), ("large", "900.50"), ("middle", "90"), ("new", "5")] {
        world.put_customer(ORG, name, &json!({})).await;
        let order = scenario::award(name, name, total, &json!({"fulfilledAt": "2026-04-01T12:00:00Z"}));
        assert_eq!(world.send(&order).await.status, 201);
    }
    run(&world).await;
    let level = of(&world, "large").await["churnRiskLevel"].as_str().unwrap().to_owned();
    let list = async |query: String, now: &str| -> Vec<String> {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/orgs/{ORG}/customers?{query}&limit=3{cursor}");
            let page = world.send_at(&Request::new("GET", "back-office", path), instant(now)).await;
            assert_eq!(page.status, 200, "{}", page.body);
            names.extend(
                page.body["customers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["customerId"].as_str().unwrap().to_owned()),
            );
            match page.body["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    let by_level = format!("riskLevel={level}");
    assert_eq!(list(by_level.clone(), NOON).await, ["large", "middle", "small", "new"]);
    let gold = format!("{by_level}&tier=Gold");
    assert_eq!(list(gold, NOON).await, ["large"], "with others, by last order");
    let other = if level == "low" { "critical" } else { "low" };
    assert!(list(format!("riskLevel={other}"), NOON).await.is_empty());

    // A customer with many new orders moves to another list.
    for number in 0..8 {
        let order = scenario::award(
            "middle",
            &format!("more-{number}"),
            "1",
            &json!({"fulfilledAt": format!("2026-05-{:02}T12:00:00Z", 10 + 2 * number)}),
        );
        world.send(&order).await;
    }
    run_at(&world, "2026-06-01T13:00:00Z", &json!({"orgId": ORG, "customerId": "middle"})).await;
    assert_eq!(list(by_level.clone(), NOON).await, ["large", "small", "new"]);
    // A prediction expires after ninety days.
    assert!(list(by_level, "2026-08-30T12:00:00Z").await.is_empty());

    let wrong = world.get(&format!("/orgs/{ORG}/customers?riskLevel=severe")).await;
    assert_eq!((wrong.status.as_u16(), wrong.fields()), (422, vec!["riskLevel"]));
}

#[tokio::test]
async fn a_cursor_of_one_risk_level_is_rejected_for_another_list() {
    let world = World::new().await;
    customer(&world, "ada", &[30]).await;
    customers::copy(&world, "ada", 0..3).await;
    run(&world).await;
    let level = of(&world, "ada").await["churnRiskLevel"].as_str().unwrap().to_owned();
    let page = world.get(&format!("/orgs/{ORG}/customers?riskLevel={level}&limit=2")).await.body;
    let cursor = page["cursor"].as_str().expect("it goes on");
    let other = if level == "low" { "high" } else { "low" };
    for query in [String::new(), format!("riskLevel={other}&")] {
        let answer = world.get(&format!("/orgs/{ORG}/customers?{query}cursor={cursor}")).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{query}");
    }
}
