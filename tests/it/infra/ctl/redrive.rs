//! `ctl redrive` on a local stack and a queue. Only messages that need no further replay leave the queue.

use harness::{
    aws_services::{ServiceRequest, StubQueue, StubService},
    programs::{self, LocalStack, ProgramOutput, ctl_command, interrupt},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Runs `ctl redrive` of a function on a stack and a queue.
async fn redrive(function: &str, more: &[&str], stack: &LocalStack, queue: &StubQueue) -> ProgramOutput {
    let arguments = [&["redrive", function], more].concat();
    programs::run(&mut ctl_command(&arguments, &[("LAMBDA", &stack.url), ("SQS", &queue.url)])).await
}

/// A local stack with one org, a customer with points, and the bundles `b` and `c`.
async fn shop() -> LocalStack {
    let stack = LocalStack::start(&[]).await;
    let bundle = json!({
        "name": "Two for less", "type": "bogo", "originalTotal": 30, "bundlePrice": 20, "desiredState": "published",
        "products": [{"productId": "cd", "name": "Disc", "requiredQty": 2, "originalPrice": 15}],
    });
    for (path, body) in [
        ("orgs/shop", json!({"name": "Corner Shop"})),
        ("orgs/shop/loyalty", json!({})),
        ("orgs/shop/bundles/b", bundle.clone()),
        ("orgs/shop/bundles/c", bundle),
    ] {
        put(&stack, path, &body).await;
    }
    customer(&stack, "ada").await;
    let order = json!({"orgId": "shop", "customerId": "ada", "orderId": "first", "orderTotal": 1000});
    send(&stack, "points-award/awards", &order).await;
    stack
}

async fn put(stack: &LocalStack, path: &str, body: &Value) {
    let request = programs::http().put(format!("{}/lambda-url/back-office/{path}", stack.url));
    let answer = request.bearer_auth("local-secret").json(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
}

async fn customer(stack: &LocalStack, id: &str) {
    put(stack, &format!("orgs/shop/customers/{id}"), &json!({})).await;
}

async fn send(stack: &LocalStack, path: &str, body: &Value) {
    let request = programs::http().post(format!("{}/lambda-url/{path}", stack.url));
    let answer = request.bearer_auth("local-secret").json(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
}

async fn read(stack: &LocalStack, path: &str) -> Value {
    let request = programs::http().get(format!("{}/lambda-url/{path}", stack.url));
    request.bearer_auth("local-secret").send().await.unwrap().json().await.unwrap()
}

async fn points(stack: &LocalStack, customer: &str) -> i64 {
    read(stack, &format!("back-office/orgs/shop/customers/{customer}")).await["points"].as_i64().unwrap()
}

async fn uses(stack: &LocalStack, bundle: &str) -> i64 {
    read(stack, &format!("back-office/orgs/shop/bundles/{bundle}")).await["currentRedemptions"].as_i64().unwrap()
}

/// An event as the dead-letter queue of a rule stores it.
fn event(kind: &str, order: &str, more: Value) -> Value {
    let mut detail = json!({"orgId": "shop", "customerId": "ada", "orderId": order});
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "version": "0", "id": "1", "detail-type": kind, "source": "shop.orders", "account": "1",
        "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": detail,
    })
}

/// An event as Lambda stores it after three failures.
fn record(payload: &Value) -> String {
    let arn = "arn:aws:lambda:eu-west-1:1:function:regulars-points-award:live";
    let record = json!({
        "version": "1.0", "timestamp": "2026-06-01T12:05:00Z", "requestPayload": payload,
        "requestContext": {
            "requestId": "1", "functionArn": arn, "condition": "RetriesExhausted", "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "try_again", "errorMessage": "The store is busy."},
    });
    record.to_string()
}

/// Asserts the output and the exit code of a redrive, and the visible messages that remain in the queue.
fn check(ended: &ProgramOutput, code: i32, lines: &[&str], queue: &StubQueue, left: &[String]) {
    assert_eq!((ended.code, ended.err.as_str()), (Some(code), ""), "{ended:?}");
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), lines);
    assert_eq!(queue.remaining(), left);
    assert_eq!(queue.visible_count(), left.len());
}

#[tokio::test]
async fn failed_awards_are_replayed_and_orders_of_unknown_customers_stay_queued() {
    let stack = shop().await;
    let fulfilled = record(&event("OrderFulfilled", "o1", json!({"orderTotal": 50})));
    let unknown = record(&event("OrderFulfilled", "o2", json!({"orderTotal": 50, "customerId": "bo"})));
    // A different total than that of the award.
    let refused = event("OrderFulfilled", "first", json!({"orderTotal": 7})).to_string();
    let refunded = event("OrderRefunded", "o1", json!({"refundId": "r1"})).to_string();
    let messages = [fulfilled, unknown.clone(), refused, refunded];
    let queue = StubQueue::start("regulars-points-award-failures", messages).await;
    let ended = redrive("points-award", &[], &stack, &queue).await;
    let unknown_customer = "unknown_customer: What this event is about is not known yet.";
    let lines = [
        "OrderFulfilled o1 of shop: replayed",
        &format!("OrderFulfilled o2 of shop: still failing: {unknown_customer}"),
        "OrderFulfilled first of shop: refused for good: idempotency_mismatch: \
         This id was used before, for a request with other content.",
        "OrderRefunded o1 of shop: replayed",
        "2 replayed, 1 refused for good, 1 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[unknown]);
    assert_eq!(queue.receive_counts(), [1], "it was tried once");
    assert_eq!(points(&stack, "ada").await, 1000);

    customer(&stack, "bo").await;
    let ended = redrive("points-award", &[], &stack, &queue).await;
    let lines = ["OrderFulfilled o2 of shop: replayed", "1 replayed, 0 refused for good, 0 still failing"];
    check(&ended, 0, &lines, &queue, &[]);
    assert_eq!(points(&stack, "bo").await, 50);
}

#[tokio::test]
async fn failed_orders_and_cancellations_of_bundle_redemption_are_replayed() {
    let stack = shop().await;
    let fulfilled = record(&event("OrderFulfilled", "o1", json!({"bundleIds": ["b", "c"]})));
    let cancelled = event("OrderCancelled", "o1", json!({"bundleIds": ["c"]})).to_string();
    let unknown = record(&event("OrderFulfilled", "o2", json!({"bundleIds": ["new"]})));
    let malformed = record(&event("OrderCancelled", "o3", json!({"bundleIds": 7})));
    let messages = [fulfilled, cancelled, unknown.clone(), malformed.clone()];
    let queue = StubQueue::start("regulars-bundle-redemption-failures", messages).await;
    let ended = redrive("bundle-redemption", &[], &stack, &queue).await;
    let lines = [
        "OrderFulfilled o1 of shop: replayed",
        "OrderCancelled o1 of shop: replayed",
        "OrderFulfilled o2 of shop: still failing: bundle_not_found: What this event is about is not known yet.",
        "OrderCancelled o3 of shop: still failing: invalid_fields: This event is malformed; the log names its fields.",
        "2 replayed, 0 refused for good, 2 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[unknown, malformed]);
    assert_eq!((uses(&stack, "b").await, uses(&stack, "c").await), (1, 0));
}

#[tokio::test]
async fn failed_cancellations_of_points_redemption_are_replayed() {
    let stack = shop().await;
    let spent = json!({"orgId": "shop", "customerId": "ada", "orderId": "o1", "points": 100, "orderTotal": 20});
    send(&stack, "points-redemption/redemptions", &spent).await;
    assert_eq!(points(&stack, "ada").await, 900);
    let unknown = record(&event("OrderCancelled", "o2", json!({"customerId": "bo"})));
    let messages = [record(&event("OrderCancelled", "o1", json!({"bundleIds": ["b"]}))), unknown.clone()];
    let queue = StubQueue::start("regulars-points-redemption-failures", messages).await;
    let ended = redrive("points-redemption", &[], &stack, &queue).await;
    let lines = [
        "OrderCancelled o1 of shop: replayed",
        "OrderCancelled o2 of shop: still failing: unknown_customer: What this event is about is not known yet.",
        "1 replayed, 0 refused for good, 1 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[unknown]);
    assert_eq!(points(&stack, "ada").await, 1000);
}

#[tokio::test]
async fn abandoned_sweeps_are_called_again_and_only_a_missing_org_is_dismissed() {
    let stack = shop().await;
    let refused = json!({"orgId": "shop", "cursor": "nonsense"}).to_string();
    let messages = [
        "{}".to_owned(),
        json!({"orgId": "shop"}).to_string(),
        json!({"orgId": "closed"}).to_string(),
        refused.clone(),
        "not { JSON".to_owned(),
    ];
    let queue = StubQueue::start("regulars-tier-recalculation-failures", messages).await;
    let ended = redrive("tier-recalculation", &[], &stack, &queue).await;
    let lines = [
        "the call for every org: replayed",
        "the call for shop: replayed",
        "the call for closed: refused for good: unknown_org: There is no org with this id.",
        "the call for shop, from a cursor on: still failing: invalid_cursor: \
         Pass a cursor exactly as this list returned it, or no cursor to start over.",
        "the message m4 is no JSON: expected ident at line 1 column 2; it is left as it is",
        "2 replayed, 1 refused for good, 2 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[refused, "not { JSON".to_owned()]);
}

/// A sweep that is complete at its third call, for any org.
fn in_three_calls((path, call): &ServiceRequest) -> (u16, Value) {
    assert_eq!(path, "POST /2015-03-31/functions/regulars-churn-prediction/invocations");
    match call["cursor"].as_str() {
        None => (200, json!({"success": true, "cursor": "one"})),
        Some("one") => (200, json!({"success": true, "cursor": "two"})),
        Some("stuck") => (200, json!({"success": true, "cursor": "stuck"})),
        // One org of the page failed, and the sweep continues with the others.
        Some("broken") => (200, json!({"success": false, "summary": {"totalErrors": 1}, "cursor": "two"})),
        Some("strange") => (200, Value::Null),
        Some(_) => (200, json!({"success": true})),
    }
}

#[tokio::test]
async fn a_sweep_is_called_again_with_its_cursor_until_complete() {
    let lambda = StubService::start(in_three_calls).await;
    let stuck = json!({"orgId": "c", "cursor": "stuck"}).to_string();
    let broken = json!({"cursor": "broken"}).to_string();
    let strange = json!({"orgId": "d", "cursor": "strange"}).to_string();
    let messages = [
        json!({"orgId": "a"}).to_string(),
        json!({"orgId": "b", "cursor": "two"}).to_string(),
        stuck.clone(),
        broken.clone(),
        strange.clone(),
        "[]".to_owned(),
    ];
    let queue = StubQueue::start("regulars-churn-prediction-failures", messages).await;
    let services = [("LAMBDA", lambda.url.as_str()), ("SQS", &queue.url)];
    let ended = programs::run(&mut ctl_command(&["redrive", "churn-prediction"], &services)).await;
    let lines = [
        "the call for a: replayed in 3 calls",
        "the call for b, from a cursor on: replayed",
        "the call for c, from a cursor on: still failing: it does not get on",
        "the call for every org, from a cursor on: still failing: it did not succeed with all: totalErrors 1",
        "the call for d, from a cursor on: still failing: what answered is no function of Regulars",
        "the message m5 is no call; it is left as it is",
        "2 replayed, 0 refused for good, 4 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[stuck, broken, strange, "[]".to_owned()]);
    let calls: Vec<Value> = lambda.requests().into_iter().map(|(_, call)| call).collect();
    let expected = [
        json!({"orgId": "a"}),
        json!({"orgId": "a", "cursor": "one"}),
        json!({"orgId": "a", "cursor": "two"}),
        json!({"orgId": "b", "cursor": "two"}),
        json!({"orgId": "c", "cursor": "stuck"}),
        json!({"cursor": "broken"}),
        json!({"cursor": "two"}),
        json!({"orgId": "d", "cursor": "strange"}),
    ];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_reappearing_message_is_replayed_once_and_does_not_delay_other_messages() {
    let stack = shop().await;
    let unknown = |order: &str| {
        let mut event = event("OrderFulfilled", order, json!({"orderTotal": 1}));
        event["detail"]["customerId"] = json!("nobody");
        record(&event)
    };
    let good = record(&event("OrderFulfilled", "good", json!({"orderTotal": 1})));
    let messages = [unknown("o1"), unknown("o2"), good];
    let queue = StubQueue::start("regulars-points-award-failures", messages.clone()).await;
    queue.redeliver_after(1);
    let ended = redrive("points-award", &[], &stack, &queue).await;
    let last = ended.out.lines().last();
    assert_eq!(last, Some("1 replayed, 0 refused for good, 2 still failing"), "{ended:?}");
    assert_eq!((queue.remaining(), queue.receive_counts()), (messages[..2].to_vec(), vec![2, 1]));
}

#[tokio::test]
async fn control_characters_of_a_message_are_shown_escaped() {
    let stack = shop().await;
    let message = record(&event("OrderFulfilled", "o\u{1b}[31m\n1", json!({"orderTotal": 1})));
    let queue = StubQueue::start("regulars-points-award-failures", [message]).await;
    let ended = redrive("points-award", &["--dry-run"], &stack, &queue).await;
    assert_eq!(ended.out.lines().next(), Some(r"OrderFulfilled o\u{1b}[31m\n1 of shop"), "{ended:?}");
}

#[tokio::test]
async fn a_dry_run_lists_messages_without_changes_and_a_limit_leaves_the_rest() {
    let stack = shop().await;
    let messages: Vec<String> = (0..12)
        .map(|number| record(&event("OrderFulfilled", &format!("o{number}"), json!({"orderTotal": 1}))))
        .collect();
    let queue = StubQueue::start("regulars-points-award-failures", messages.clone()).await;
    let ended = redrive("points-award", &["--dry-run"], &stack, &queue).await;
    let mut lines: Vec<String> = (0..12).map(|number| format!("OrderFulfilled o{number} of shop")).collect();
    lines.push("12 in regulars-points-award-failures; nothing was changed".into());
    check(&ended, 0, &lines.iter().map(String::as_str).collect::<Vec<_>>(), &queue, &messages);
    assert_eq!(points(&stack, "ada").await, 1000);

    let ended = redrive("points-award", &["--max", "11"], &stack, &queue).await;
    assert_eq!(ended.out.lines().last(), Some("11 replayed, 0 refused for good, 0 still failing"), "{ended:?}");
    assert_eq!(queue.remaining(), &messages[11..]);
    assert_eq!(points(&stack, "ada").await, 1011);
}

#[tokio::test]
async fn an_error_common_to_all_messages_ends_the_redrive_and_returns_them() {
    let nobody = record(&event("OrderFulfilled", "o1", json!({"orderTotal": 1})));
    let queue = StubQueue::start("regulars-points-award-failures", [nobody.clone(), nobody]).await;
    let ended = programs::run(&mut ctl_command(&["redrive", "points-award"], &[("SQS", &queue.url)])).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    assert_eq!(ended.err, "ctl: Lambda in eu-west-1 can't be reached: Connection refused (os error 111)\n");
    assert_eq!((queue.visible_count(), queue.receive_counts()), (2, vec![1, 0]), "each is taken when its turn comes");
}

#[tokio::test]
async fn an_interrupted_redrive_returns_all_messages() {
    let messages = ["{}", "{}", "{}"].map(str::to_owned);
    let queue = StubQueue::start("regulars-tier-recalculation-failures", messages).await;
    // The stand-in accepts calls and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let services = [("LAMBDA", url.as_str()), ("SQS", &queue.url)];
    let redrive = ctl_command(&["redrive", "tier-recalculation"], &services).spawn().unwrap();
    let _call = silent.accept().await.unwrap();
    assert_eq!(queue.visible_count(), 2);
    interrupt(&redrive).await;
    let ended = redrive.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let says = "ctl: interrupted: the call that was under way stays in the queue, done or not\n";
    assert_eq!((String::from_utf8(ended.stderr).unwrap().as_str(), queue.visible_count()), (says, 3));
}
