//! The commands that operate a deployed stack, as programs, against stand-ins: functions of a local stack, a queue, and
//! services that answer as they are told.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use harness::{
    account::{Asked, Queue, Service},
    programs::{self, Ended, LocalStack},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

/// The command line in an account where nothing is but what a test puts there, by the service's name in the SDK's settings.
fn ctl(arguments: &[&str], services: &[(&str, &str)]) -> Command {
    let mut command = programs::command("ctl");
    command.args(arguments);
    for variable in ["STACK", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"] {
        command.env_remove(variable);
    }
    command.envs([
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        // Nobody listens there, so a service that a test does not name is out of reach.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ]);
    for (service, url) in services {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), url);
    }
    command
}

/// Runs a redrive of a function, on a stack and a queue.
async fn redrive(function: &str, more: &[&str], stack: &LocalStack, queue: &Queue) -> Ended {
    let arguments = [&["redrive", function], more].concat();
    programs::run(&mut ctl(&arguments, &[("LAMBDA", &stack.url), ("SQS", &queue.url)])).await
}

/// A local stack with a shop in it: a customer with points, and bundles `b` and `c`.
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

/// An event as a rule's dead-letter queue keeps it.
fn event(kind: &str, order: &str, more: Value) -> Value {
    let mut detail = json!({"orgId": "shop", "customerId": "ada", "orderId": order});
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "version": "0", "id": "1", "detail-type": kind, "source": "shop.orders", "account": "1",
        "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": detail,
    })
}

/// An event as Lambda keeps it, that its function failed three times.
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

/// Asserts what a redrive printed, what it exited with, and what it left in the queue, to be received again at once.
fn check(ended: &Ended, code: i32, lines: &[&str], queue: &Queue, left: &[String]) {
    assert_eq!((ended.code, ended.err.as_str()), (Some(code), ""), "{ended:?}");
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), lines);
    assert_eq!(queue.left(), left);
    assert_eq!(queue.visible(), left.len());
}

#[tokio::test]
async fn orders_that_points_award_failed_are_replayed_and_who_is_still_unknown_stays() {
    let stack = shop().await;
    let fulfilled = record(&event("OrderFulfilled", "o1", json!({"orderTotal": 50})));
    let unknown = record(&event("OrderFulfilled", "o2", json!({"orderTotal": 50, "customerId": "bo"})));
    // Another total than it was awarded for.
    let refused = event("OrderFulfilled", "first", json!({"orderTotal": 7})).to_string();
    let refunded = event("OrderRefunded", "o1", json!({"refundId": "r1"})).to_string();
    let messages = [fulfilled, unknown.clone(), refused, refunded];
    let queue = Queue::start("regulars-points-award-failures", messages).await;
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
    assert_eq!(queue.received(), [1], "it was tried once");
    assert_eq!(points(&stack, "ada").await, 1000);

    customer(&stack, "bo").await;
    let ended = redrive("points-award", &[], &stack, &queue).await;
    let lines = ["OrderFulfilled o2 of shop: replayed", "1 replayed, 0 refused for good, 0 still failing"];
    check(&ended, 0, &lines, &queue, &[]);
    assert_eq!(points(&stack, "bo").await, 50);
}

#[tokio::test]
async fn orders_and_cancellations_that_bundle_redemption_failed_are_replayed() {
    let stack = shop().await;
    let fulfilled = record(&event("OrderFulfilled", "o1", json!({"bundleIds": ["b", "c"]})));
    let cancelled = event("OrderCancelled", "o1", json!({"bundleIds": ["c"]})).to_string();
    let unknown = record(&event("OrderFulfilled", "o2", json!({"bundleIds": ["new"]})));
    let refused = record(&event("OrderCancelled", "o3", json!({"bundleIds": 7})));
    let messages = [fulfilled, cancelled, unknown.clone(), refused];
    let queue = Queue::start("regulars-bundle-redemption-failures", messages).await;
    let ended = redrive("bundle-redemption", &[], &stack, &queue).await;
    let lines = [
        "OrderFulfilled o1 of shop: replayed",
        "OrderCancelled o1 of shop: replayed",
        "OrderFulfilled o2 of shop: still failing: bundle_not_found: What this event is about is not known yet.",
        "OrderCancelled o3 of shop: refused for good: invalid_fields: bundleIds must be a list",
        "2 replayed, 1 refused for good, 1 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[unknown]);
    assert_eq!((uses(&stack, "b").await, uses(&stack, "c").await), (1, 0));
}

#[tokio::test]
async fn cancellations_that_points_redemption_failed_are_replayed() {
    let stack = shop().await;
    let spent = json!({"orgId": "shop", "customerId": "ada", "orderId": "o1", "points": 100, "orderTotal": 20});
    send(&stack, "points-redemption/redemptions", &spent).await;
    assert_eq!(points(&stack, "ada").await, 900);
    let unknown = record(&event("OrderCancelled", "o2", json!({"customerId": "bo"})));
    let messages = [record(&event("OrderCancelled", "o1", json!({"bundleIds": ["b"]}))), unknown.clone()];
    let queue = Queue::start("regulars-points-redemption-failures", messages).await;
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
async fn what_sweeps_gave_up_is_called_again_and_only_an_org_that_is_gone_is_done_with() {
    let stack = shop().await;
    let refused = json!({"orgId": "shop", "cursor": "nonsense"}).to_string();
    let messages = [
        "{}".to_owned(),
        json!({"orgId": "shop"}).to_string(),
        json!({"orgId": "closed"}).to_string(),
        refused.clone(),
        "not { JSON".to_owned(),
    ];
    let queue = Queue::start("regulars-tier-recalculation-failures", messages).await;
    let ended = redrive("tier-recalculation", &[], &stack, &queue).await;
    let lines = [
        "the call for every org: replayed",
        "the call for shop: replayed",
        "the call for closed: refused for good: unknown_org: There is no org with this id.",
        "the call for shop, from a cursor on: still failing: invalid_cursor: \
         Pass a cursor as this list gave it, or none to start over.",
        "the message m4 is no JSON: expected ident at line 1 column 2; it is left as it is",
        "2 replayed, 1 refused for good, 2 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[refused, "not { JSON".to_owned()]);
}

/// A sweep that is through at its third call, for whichever org.
fn in_three_calls((path, call): &Asked) -> (u16, Value) {
    assert_eq!(path, "POST /2015-03-31/functions/regulars-churn-prediction/invocations");
    match call["cursor"].as_str() {
        None => (200, json!({"success": true, "cursor": "one"})),
        Some("one") => (200, json!({"success": true, "cursor": "two"})),
        Some("stuck") => (200, json!({"success": true, "cursor": "stuck"})),
        Some(_) => (200, json!({"success": true})),
    }
}

#[tokio::test]
async fn a_sweep_is_called_again_with_its_cursor_until_it_is_through() {
    let lambda = Service::start(in_three_calls).await;
    let stuck = json!({"orgId": "c", "cursor": "stuck"}).to_string();
    let messages =
        [json!({"orgId": "a"}).to_string(), json!({"orgId": "b", "cursor": "two"}).to_string(), stuck.clone()];
    let queue = Queue::start("regulars-churn-prediction-failures", messages).await;
    let services = [("LAMBDA", lambda.url.as_str()), ("SQS", &queue.url)];
    let ended = programs::run(&mut ctl(&["redrive", "churn-prediction"], &services)).await;
    let lines = [
        "the call for a: replayed in 3 calls",
        "the call for b, from a cursor on: replayed",
        "the call for c, from a cursor on: still failing: it does not get on",
        "2 replayed, 0 refused for good, 1 still failing",
    ];
    check(&ended, 1, &lines, &queue, &[stuck]);
    let calls: Vec<Value> = lambda.asked().into_iter().map(|(_, call)| call).collect();
    let expected = [
        json!({"orgId": "a"}),
        json!({"orgId": "a", "cursor": "one"}),
        json!({"orgId": "a", "cursor": "two"}),
        json!({"orgId": "b", "cursor": "two"}),
        json!({"orgId": "c", "cursor": "stuck"}),
    ];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_dry_run_lists_and_changes_nothing_and_a_limit_leaves_the_rest() {
    let stack = shop().await;
    let messages: Vec<String> = (0..12)
        .map(|number| record(&event("OrderFulfilled", &format!("o{number}"), json!({"orderTotal": 1}))))
        .collect();
    let queue = Queue::start("regulars-points-award-failures", messages.clone()).await;
    let ended = redrive("points-award", &["--dry-run"], &stack, &queue).await;
    let mut lines: Vec<String> = (0..12).map(|number| format!("OrderFulfilled o{number} of shop")).collect();
    lines.push("12 in regulars-points-award-failures; nothing was changed".into());
    check(&ended, 0, &lines.iter().map(String::as_str).collect::<Vec<_>>(), &queue, &messages);
    assert_eq!(points(&stack, "ada").await, 1000);

    let ended = redrive("points-award", &["--max", "11"], &stack, &queue).await;
    assert_eq!(ended.out.lines().last(), Some("11 replayed, 0 refused for good, 0 still failing"), "{ended:?}");
    assert_eq!(queue.left(), &messages[11..]);
    assert_eq!(points(&stack, "ada").await, 1011);
}

#[tokio::test]
async fn what_would_fail_every_message_ends_the_redrive_and_gives_all_of_them_back() {
    let nobody = record(&event("OrderFulfilled", "o1", json!({"orderTotal": 1})));
    let queue = Queue::start("regulars-points-award-failures", [nobody.clone(), nobody]).await;
    let ended = programs::run(&mut ctl(&["redrive", "points-award"], &[("SQS", &queue.url)])).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    assert_eq!(ended.err, "ctl: Lambda in eu-west-1 can't be reached: Connection refused (os error 111)\n");
    assert_eq!((queue.visible(), queue.received()), (2, vec![1, 1]));
}

/// A scheduler whose jobs start a function and a state machine, and one that refuses.
fn scheduler((what, _): &Asked) -> (u16, Value) {
    let target = |arn: &str| json!({"Arn": arn, "RoleArn": "arn:aws:iam::1:role/r", "Input": "{\"dryRun\":true}"});
    let schedule = |arn: &str| json!({"Name": "a", "State": "DISABLED", "Target": target(arn)});
    match what.as_str() {
        "GET /schedules/regulars-bundle-transitions" => {
            (200, schedule("arn:aws:lambda:eu-west-1:1:function:regulars-bundle-transitions:live"))
        }
        "GET /schedules/regulars-churn-prediction" => {
            (200, schedule("arn:aws:lambda:eu-west-1:1:function:regulars-points-award:live"))
        }
        "GET /schedules/regulars-tier-recalculation" => {
            (200, schedule("arn:aws:states:eu-west-1:1:stateMachine:regulars-tier-recalculation"))
        }
        "AWSStepFunctions.StartExecution" => (200, json!({"executionArn": "arn:of:it", "startDate": 1})),
        _ => (404, json!({"__type": "ResourceNotFoundException", "Message": "There is no such schedule."})),
    }
}

#[tokio::test]
async fn a_job_is_run_by_hand_as_its_schedule_would_paused_or_not() {
    let (stack, scheduler) = (shop().await, Service::start(scheduler).await);
    let services = [("SCHEDULER", scheduler.url.as_str()), ("SFN", &scheduler.url), ("LAMBDA", &stack.url)];
    let run = async |job: &str| programs::run(&mut ctl(&["jobs", "run", job], &services)).await;

    let ended = run("bundle-transitions").await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.out.starts_with("bundle-transitions: ") && ended.out.contains("transitionsPerformed 0"), "{ended:?}");

    let ended = run("tier-recalculation").await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "tier-recalculation is started: arn:of:it\n"), "{ended:?}");
    let (_, started) = scheduler.asked().pop().unwrap();
    let machine = "arn:aws:states:eu-west-1:1:stateMachine:regulars-tier-recalculation";
    assert_eq!((&started["stateMachineArn"], &started["input"]), (&json!(machine), &json!("{\"dryRun\":true}")));

    // Points award takes no such call.
    let ended = run("churn-prediction").await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    let says = "ctl: churn-prediction was refused: invalid_fields: operation must be one of award, refund\n";
    assert_eq!(ended.err, says);
}

/// A schedule with every field that there is.
fn full() -> Value {
    json!({
        "Name": "regulars-bundle-transitions", "GroupName": "default", "State": "ENABLED", "Description": "Moves bundles",
        "Arn": "arn:aws:scheduler:eu-west-1:1:schedule/default/regulars-bundle-transitions",
        "CreationDate": 1, "LastModificationDate": 2, "StartDate": 1_800_000_000, "EndDate": 1_900_000_000,
        "ScheduleExpression": "rate(5 minutes)", "ScheduleExpressionTimezone": "Asia/Kolkata",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}, "KmsKeyArn": "arn:aws:kms:eu-west-1:1:key/k",
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": "arn:aws:lambda:eu-west-1:1:function:f:live", "RoleArn": "arn:aws:iam::1:role/r", "Input": "{}",
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:1:q"},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
            "EcsParameters": {"TaskDefinitionArn": "arn:t", "TaskCount": 2}, "SqsParameters": {"MessageGroupId": "g"},
            "EventBridgeParameters": {"DetailType": "d", "Source": "s"}, "KinesisParameters": {"PartitionKey": "k"},
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "n", "Value": "v"}]},
        },
    })
}

#[tokio::test]
async fn pausing_sends_back_every_field_that_a_schedule_has() {
    let scheduler = Service::start(|_| (200, full())).await;
    let pause = &mut ctl(&["jobs", "pause", "bundle-transitions"], &[("SCHEDULER", &scheduler.url)]);
    let ended = programs::run(pause).await;
    assert_eq!(ended.out, "bundle-transitions   is paused now\n", "{ended:?}");
    let (what, mut sent) = scheduler.asked().pop().unwrap();
    assert_eq!(what, "PUT /schedules/regulars-bundle-transitions");
    sent.as_object_mut().unwrap().remove("ClientToken");
    let mut expected = full();
    expected["State"] = "DISABLED".into();
    // The name is in the path; the others are not for anybody to set.
    for field in ["Name", "Arn", "CreationDate", "LastModificationDate"] {
        expected.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(sent, expected);
}

/// Waits until something holds, or gives up.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(programs::PATIENCE, waiting).await.expect("it comes to it");
}

async fn interrupt(program: &Child) {
    let id = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
}

#[tokio::test]
async fn an_interrupted_redrive_gives_everything_back() {
    let messages = ["{}", "{}", "{}"].map(str::to_owned);
    let queue = Queue::start("regulars-tier-recalculation-failures", messages).await;
    // It takes calls and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let services = [("LAMBDA", url.as_str()), ("SQS", &queue.url)];
    let redrive = ctl(&["redrive", "tier-recalculation"], &services).spawn().unwrap();
    let _call = silent.accept().await.unwrap();
    assert_eq!(queue.visible(), 0);
    interrupt(&redrive).await;
    let ended = redrive.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let says = "ctl: interrupted: the call that was under way stays in the queue, done or not\n";
    assert_eq!((String::from_utf8(ended.stderr).unwrap().as_str(), queue.visible()), (says, 3));
}

#[tokio::test]
async fn lines_are_followed_without_a_repetition() {
    let asked = Arc::new(AtomicI64::new(0));
    let times = Arc::clone(&asked);
    let logs = Service::start(move |(what, _)| {
        assert_eq!(what, "Logs_20140328.FilterLogEvents");
        let count = times.fetch_add(1, Ordering::Relaxed) + 1;
        let now = chrono::Utc::now().timestamp_millis();
        // What was there before is there again, later with a line more.
        let event = |id: i64| json!({"eventId": id.to_string(), "timestamp": now, "message": format!("line {id}\n")});
        (200, json!({"events": (1..=count).map(event).collect::<Vec<_>>()}))
    })
    .await;
    let arguments = ["logs", "points-award", "--follow", "--filter", "say \"no\""];
    let following = ctl(&arguments, &[("CLOUDWATCH_LOGS", &logs.url)]).spawn().unwrap();
    until(|| logs.asked().len() >= 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    interrupt(&following).await;
    let ended = following.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let out = String::from_utf8(ended.stdout).unwrap();
    let lines: Vec<&str> = out.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(lines, ["line 1", "line 2"]);
    let (_, sent) = logs.asked().remove(0);
    assert_eq!(
        (&sent["logGroupName"], &sent["filterPattern"]),
        (&json!("/aws/lambda/regulars-points-award"), &json!("\"say \\\"no\\\"\""))
    );
}

/// A folder of programs that stand in for those that deploy.
fn tools(name: &str, programs: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for (program, script) in programs {
        let file = folder.join(program);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_deployment_builds_first_and_says_which_tool_is_missing() {
    let sam = (
        "sam",
        r#"test "$1" = --version || echo "$CARGO_LAMBDA_COMPILER: sam $*"; test "$1 $3" != "build production""#,
    );
    let (cargo, no_lambda) = (("cargo", "exit 0"), ("cargo", "exit 101"));
    let deploy = async |environment: &str, name: &str, programs: &[(&str, &str)]| {
        let mut command = ctl(&["deploy", environment], &[]);
        programs::run(command.env("PATH", tools(name, programs)).env_remove("CARGO_LAMBDA_COMPILER")).await
    };
    let done = deploy("staging", "all-tools", &[sam, cargo]).await;
    let steps = "cargo: sam build --config-env staging\ncargo: sam deploy --config-env staging\n";
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (Some(0), steps, ""), "{done:?}");

    let says = |ended: &Ended, why: &str| {
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), format!("ctl: {why}\n").as_str()), "{ended:?}");
    };
    let failed = deploy("production", "all-tools", &[sam, cargo]).await;
    says(&failed, "sam build --config-env production ended with exit status: 1");
    assert_eq!(failed.out, "cargo: sam build --config-env production\n");
    let missing = "is missing: pip install aws-sam-cli cargo-lambda";
    says(&deploy("staging", "no-sam", &[cargo]).await, &format!("sam {missing}"));
    says(&deploy("staging", "no-cargo-lambda", &[sam, no_lambda]).await, &format!("cargo-lambda {missing}"));
}

/// A service that refuses whatever it is asked, as AWS does.
fn forbidden(_: &Asked) -> (u16, Value) {
    let says = "User: arn:aws:iam::1:user/ada is not authorized to perform: scheduler:GetSchedule on resource: \
                arn:aws:scheduler:eu-west-1:1:schedule/default/regulars-bundle-transitions";
    (403, json!({"__type": "AccessDeniedException", "Message": says}))
}

fn expired(_: &Asked) -> (u16, Value) {
    (
        403,
        json!({"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}),
    )
}

fn empty(_: &Asked) -> (u16, Value) {
    (404, json!({"__type": "ResourceNotFoundException", "Message": "There is none."}))
}

#[tokio::test]
async fn whatever_is_wrong_with_the_account_is_one_clear_line() {
    let services = [Service::start(forbidden).await, Service::start(expired).await, Service::start(empty).await];
    let [forbidden, expired, empty] = services.each_ref().map(|service| service.url.as_str());
    let queue = Queue::start("regulars-points-award-failures", []).await;
    let x = ["--stack", "regulars-x"];
    let logs = ["logs", "points-award", x[0], x[1]];
    for (arguments, service, url, says) in [
        (
            &["jobs", "list"][..],
            "SCHEDULER",
            forbidden,
            "not allowed: User: arn:aws:iam::1:user/ada is not authorized to perform: scheduler:GetSchedule on resource: arn:aws:scheduler:eu-west-1:1:schedule/default/regulars-bundle-transitions",
        ),
        (
            &["jobs", "list"],
            "SCHEDULER",
            expired,
            "the credentials have expired: sign in again (EventBridge Scheduler: The security token included in the request is expired)",
        ),
        (
            &["jobs", "list"],
            "SCHEDULER",
            "http://127.0.0.1:1",
            "EventBridge Scheduler in eu-west-1 can't be reached: Connection refused (os error 111)",
        ),
        (
            &["jobs", "pause", "bundle-transitions", x[0], x[1]],
            "SCHEDULER",
            empty,
            "there is no schedule regulars-x-bundle-transitions in eu-west-1: is regulars-x the stack's name?",
        ),
        (
            &["jobs", "pause", x[0], x[1]],
            "SCHEDULER",
            empty,
            "there is no schedule regulars-x-bundle-transitions in eu-west-1: is regulars-x the stack's name?",
        ),
        (
            &["rollback", "points-award", x[0], x[1]],
            "LAMBDA",
            empty,
            "there is no function regulars-x-points-award with the alias live in eu-west-1: is regulars-x the stack's name?",
        ),
        (
            &["verify", x[0], x[1]],
            "LAMBDA",
            empty,
            "there is no URL of the function regulars-x-back-office with the alias live in eu-west-1: is regulars-x the stack's name?",
        ),
        (
            &["redrive", "points-award", x[0], x[1]],
            "SQS",
            &queue.url,
            "there is no queue regulars-x-points-award-failures in eu-west-1: is regulars-x the stack's name?",
        ),
        (
            &logs,
            "CLOUDWATCH_LOGS",
            empty,
            "there is no log group /aws/lambda/regulars-x-points-award in eu-west-1: is regulars-x the stack's name?",
        ),
    ] {
        let ended = programs::run(&mut ctl(arguments, &[(service, url)])).await;
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{arguments:?}: {ended:?}");
        assert_eq!(ended.err, format!("ctl: {says}\n"), "{arguments:?}");
    }
}

#[tokio::test]
async fn without_a_region_or_credentials_it_says_so_at_once() {
    let no_region = programs::run(ctl(&["jobs", "list"], &[]).env_remove("AWS_REGION")).await;
    let says = "ctl: no region: set AWS_REGION, or AWS_PROFILE to a profile that has one\n";
    assert_eq!((no_region.code, no_region.err.as_str()), (Some(1), says), "{no_region:?}");
    let nobody = programs::run(ctl(&["jobs", "list"], &[]).env_remove("AWS_ACCESS_KEY_ID")).await;
    assert_eq!((nobody.code, nobody.err.lines().count()), (Some(1), 1), "{nobody:?}");
    assert!(nobody.err.starts_with("ctl: no credentials: sign in, and hand them over by eval "), "{nobody:?}");
}

#[tokio::test]
async fn verify_finds_the_urls_and_the_secret_of_a_stack_by_its_name() {
    let stack = LocalStack::start(&[]).await;
    let url = stack.url.clone();
    // Lambda and Secrets Manager of an account in which the local stack is deployed.
    let account = Service::start(move |(what, asked)| {
        let function =
            what.strip_prefix("GET /2021-10-31/functions/regulars-").and_then(|rest| rest.strip_suffix("/url"));
        match function {
            Some(function) => (
                200,
                json!({
                    "FunctionUrl": format!("{url}/lambda-url/{function}/"), "AuthType": "NONE", "FunctionArn": "a",
                    "CreationTime": "now", "LastModifiedTime": "now",
                }),
            ),
            None => {
                assert_eq!(
                    (what.as_str(), &asked["SecretId"]),
                    ("secretsmanager.GetSecretValue", &json!("regulars-cron-secret"))
                );
                (200, json!({"ARN": "a", "Name": "a", "SecretString": "local-secret"}))
            }
        }
    })
    .await;
    let services = [("LAMBDA", account.url.as_str()), ("SECRETS_MANAGER", &account.url)];
    let ended = programs::run(&mut ctl(&["verify", "--stack", "regulars"], &services)).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");

    let other =
        programs::run(ctl(&["verify", "--stack", "regulars"], &services[..1]).env("CRON_SECRET", "another")).await;
    assert!(other.err.starts_with("ctl: the secret is refused: 401 unauthorized: "), "{other:?}");
    let both = programs::run(&mut ctl(&["verify", "--stack", "regulars", "--url", "http://127.0.0.1:1"], &[])).await;
    assert!(both.code == Some(2) && both.err.contains("cannot be used with"), "{both:?}");
}
