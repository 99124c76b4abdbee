//! Runs over all orgs: orgs that fail, cursors, deadlines, credentials.

use std::time::Duration;

use harness::{
    Request, World,
    faults::{Fault, FaultDuration},
    instant,
    world::ORG,
};
use serde_json::{Value, json};

use super::support::{MONDAY, report, reported};

#[tokio::test]
async fn an_unreadable_org_is_reported_as_an_error_and_a_disposable_org_is_omitted() {
    let world = World::new().await;
    world.put_org("broken", &json!({"name": "Broken"})).await;
    world.put_org("other", &json!({"name": "Other", "timezone": "Asia/Kolkata"})).await;
    world.put_org("to-go", &json!({"name": "To go", "disposable": true})).await;
    world.corrupt("ORG#broken", "ORG", "version").await;
    world.take_records();
    let answer = reported(&world, &json!({})).await.body;
    let actual: Vec<&Value> = answer["orgs"].as_array().unwrap().iter().map(|org| &org["orgId"]).collect();
    assert_eq!((actual, &answer["errors"]), (vec![&json!("other"), &json!(ORG)], &json!(["broken"])));
    assert_eq!((&answer["success"], &answer["slack"]), (&json!(false), &json!("not_configured")));
    let record = &world.take_records()[0];
    assert_eq!((&record["Reports"], &record["ErrorsEncountered"]), (&json!(2), &json!(1)));
    // Without a stored position there is nothing to report.
    assert_eq!(reported(&world, &json!({"cursor": "latest"})).await.body["orgs"], json!([]));
    // A disposable org is reported when it is named.
    assert_eq!(reported(&world, &json!({"orgId": "to-go"})).await.body["orgs"][0]["orgId"], "to-go");
    let unknown = world.send(&report(&json!({"orgId": "nobody"}))).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "unknown_org"));
}

#[tokio::test]
async fn a_read_with_a_temporary_failure_is_retried() {
    let world = World::with_timeout(Some(Duration::from_mins(1))).await;
    world.put_org("a", &json!({"name": "A"})).await;
    world.proxy.take_requests();
    reported(&world, &json!({})).await;
    let requests = world.proxy.take_requests().len();
    assert!(requests > 60, "{requests}");
    for number in (0..requests).step_by(7) {
        for fault in [Fault::ServerError, Fault::Throttle, Fault::DropRequest] {
            world.proxy.fail(number, fault, FaultDuration::Once);
            let answer = reported(&world, &json!({})).await.body;
            world.proxy.heal();
            assert_eq!((&answer["success"], answer.get("cursor")), (&json!(true), None), "{number} {fault:?} {answer}");
            assert_eq!(answer["summary"]["totalOrgs"], 2);
        }
    }
}

#[tokio::test]
async fn a_failing_org_is_reported_and_a_failure_of_the_first_org_is_503() {
    let world = World::with_timeout(Some(Duration::from_mins(1))).await;
    world.put_org("a", &json!({"name": "A"})).await;
    world.proxy.take_requests();
    reported(&world, &json!({})).await;
    let requests = world.proxy.take_requests().len();
    world.proxy.fail(requests - 5, Fault::ServerError, FaultDuration::UntilHealed);
    let answer = reported(&world, &json!({})).await.body;
    assert_eq!((&answer["orgs"][0]["orgId"], &answer["errors"]), (&json!("a"), &json!([ORG])), "{answer}");
    assert_eq!((&answer["success"], answer.get("cursor")), (&json!(false), None));
    world.proxy.fail(requests / 3, Fault::ServerError, FaultDuration::UntilHealed);
    assert_eq!(world.send_at(&report(&json!({})), instant(MONDAY)).await.status, 503);
}

#[tokio::test]
async fn an_org_that_exceeds_the_time_of_a_call_is_reported_by_the_next_call() {
    let world = World::new().await;
    for org in ["a", "b", "c"] {
        world.put_org(org, &json!({"name": org})).await;
    }
    let (mut actual, mut body) = (Vec::new(), json!({}));
    loop {
        // Without time each call reports one org and returns a cursor.
        let answer = world.send_within(&report(&body), instant(MONDAY), Duration::from_secs(5)).await.body;
        actual.extend(answer["orgs"].as_array().unwrap().iter().map(|org| org["orgId"].clone()));
        match answer.get("cursor") {
            Some(cursor) => body = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(actual, ["a", "b", "c", ORG]);
}

#[tokio::test]
async fn an_unavailable_store_is_503_and_the_key_of_an_org_is_not_sufficient() {
    let world = World::with_timeout(Some(Duration::from_secs(30))).await;
    let key = world
        .send(&Request::new("POST", "back-office", format!("/orgs/{ORG}/keys")).json(&json!({"name": "till"})))
        .await;
    let key = format!("Bearer {}", key.body["key"].as_str().unwrap());
    let refused = world.send(&report(&json!({"orgId": ORG})).header("authorization", &key)).await;
    assert_eq!(refused.status, 403);
    world.proxy.fail(0, Fault::DropRequest, FaultDuration::UntilHealed);
    assert_eq!(world.send(&report(&json!({"orgId": ORG}))).await.status, 503);
}
