//! The local stack as a process: start, routes, shutdown and error messages.

use std::fs;

use harness::{
    programs::{self, LocalStack, ProgramOutput},
    root,
};
use serde_json::{Value, json};

/// A file for one test.
fn scratch(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("regulars-{:016x}", fastrand::u64(..)));
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

async fn refused(arguments: &[&str]) -> ProgramOutput {
    let ended = programs::run(programs::command("local").args(["--port", "0"]).args(arguments)).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "one clear line, not {}", ended.err);
    ended
}

#[tokio::test]
async fn the_stack_is_ready_when_reported_and_ends_on_request() {
    for signal in ["INT", "TERM"] {
        let stack = LocalStack::start(&[]).await;
        let health =
            programs::http().get(format!("{}/lambda-url/points-award/health", stack.url)).send().await.unwrap();
        assert_eq!(health.status(), 200);
        // `cargo lambda invoke` uses the IPv6 loopback address if the machine has one.
        if std::net::TcpListener::bind("[::1]:0").is_ok() {
            let url = stack.url.replace("127.0.0.1", "[::1]");
            let health = programs::http().get(format!("{url}/lambda-url/back-office/health")).send().await.unwrap();
            assert_eq!(health.status(), 200);
        }
        let ended = stack.stop(signal).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{signal}");
    }
}

#[tokio::test]
async fn the_data_file_outlives_the_stack() {
    let file = scratch("regulars.db");
    let file = file.to_str().unwrap();
    let http = programs::http();
    let stack = LocalStack::start(&["--data", file]).await;
    let url = format!("{}/lambda-url/back-office/orgs/shop", stack.url);
    let put = http.put(url).bearer_auth("local-secret").json(&json!({"name": "Shop"})).send().await.unwrap();
    assert_eq!(put.status(), 201);
    assert_eq!(stack.stop("TERM").await.code, Some(0));

    let stack = LocalStack::start(&["--data", file]).await;
    let url = format!("{}/lambda-url/back-office/orgs/shop", stack.url);
    let read: Value = http.get(url).bearer_auth("local-secret").send().await.unwrap().json().await.unwrap();
    assert_eq!(read["name"], "Shop");
    stack.stop("INT").await;
}

#[tokio::test]
async fn a_busy_port_an_unreadable_file_and_a_wrong_template_are_one_line_each() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let ended = programs::run(programs::command("local").args(["--port", &port])).await;
    assert_eq!((ended.code, ended.err.lines().count()), (Some(1), 1), "{ended:?}");
    assert!(ended.err.contains(&format!("port {port}")), "{}", ended.err);

    let garbage = scratch("not-a-database");
    fs::write(
        &garbage,
        "this is a text, and quite a long one, so that it can't be taken for an empty database".repeat(40),
    )
    .unwrap();
    assert!(refused(&["--data", garbage.to_str().unwrap()]).await.err.contains("not-a-database"));
    assert!(refused(&["--data", "/nowhere/at/all.db"]).await.err.contains("/nowhere/at/all.db"));
    assert!(refused(&["--template", "missing.yaml"]).await.err.contains("missing.yaml"));

    let text = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    for (what, changed) in [
        (
            "LocalSecondaryIndexes",
            text.replace("      BillingMode: PAY_PER_REQUEST\n", "      LocalSecondaryIndexes: []\n"),
        ),
        (
            "AWS::Kinesis::Stream",
            format!("{text}\n")
                .replace("\nOutputs:", "\n  Stream: {Type: AWS::Kinesis::Stream, Properties: {}}\n\nOutputs:"),
        ),
        ("exactly one AWS::DynamoDB::Table", text.replace("AWS::DynamoDB::Table", "AWS::SQS::Queue")),
        (
            "ReservedConcurrentExecutions",
            text.replace("\n    MemorySize: 256\n", "\n    ReservedConcurrentExecutions: 1\n"),
        ),
        (
            "calls Nobody, which is no function",
            text.replace("Function: !Ref TierRecalculation.Alias", "Function: !Ref Nobody.Alias"),
        ),
        ("othertable", text.replace("TABLE_NAME: !Ref Table", "TABLE_NAME: othertable")),
        ("OrderShipped", text.replace("RefundCancelled]", "OrderShipped]")),
        ("points-give", text.replace("functions/points-award", "functions/points-give")),
        ("template", "Resources: [".to_owned()),
    ] {
        assert_ne!(changed, text, "{what}");
        let template = scratch("template.yaml");
        fs::write(&template, changed).unwrap();
        let ended = refused(&["--template", template.to_str().unwrap()]).await;
        assert!(ended.err.contains(what), "{what}: {}", ended.err);
    }
}

#[tokio::test]
async fn a_data_file_with_another_table_is_rejected() {
    let file = scratch("regulars.db");
    let stack = LocalStack::start(&["--data", file.to_str().unwrap()]).await;
    stack.stop("TERM").await;
    let text = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template = scratch("template.yaml");
    fs::write(&template, text.replace("IndexName: by_time", "IndexName: by_date")).unwrap();
    let ended = refused(&["--data", file.to_str().unwrap(), "--template", template.to_str().unwrap()]).await;
    assert!(ended.err.contains("other keys or indexes"), "{}", ended.err);
}

#[tokio::test]
async fn a_local_request_can_set_its_clock() {
    let stack = LocalStack::start(&[]).await;
    let http = programs::http();
    let back_office = format!("{}/lambda-url/back-office/orgs/shop", stack.url);
    let put = |path: &str| http.put(format!("{back_office}{path}")).bearer_auth("local-secret");
    put("").json(&json!({"name": "Shop"})).send().await.unwrap();
    put("/loyalty").json(&json!({})).send().await.unwrap();
    put("/customers/ada").json(&json!({})).send().await.unwrap();
    let order = json!({"orgId": "shop", "customerId": "ada", "orderId": "o1", "orderTotal": 5});
    let award =
        http.post(format!("{}/lambda-url/points-award/awards", stack.url)).bearer_auth("local-secret").json(&order);
    let wrong = award.try_clone().unwrap().header("x-regulars-now", "yesterday").send().await.unwrap();
    assert_eq!(wrong.status(), 422);
    assert_eq!(award.header("x-regulars-now", "1997-01-01T00:00:00Z").send().await.unwrap().status(), 201);
    let read = http.get(format!("{back_office}/customers/ada")).bearer_auth("local-secret");
    let ada: Value = read.header("x-regulars-now", "1997-02-15T00:00:00Z").send().await.unwrap().json().await.unwrap();
    assert_eq!((&ada["lastOrderAt"], &ada["segment"]), (&json!("1997-01-01T00:00:00.000Z"), &json!("slipping")));
    stack.stop("TERM").await;
}

#[tokio::test]
async fn the_invoke_api_answers_like_lambda() {
    let stack = LocalStack::start(&[]).await;
    let http = programs::http();
    let invoke = |function: &str| http.post(format!("{}/2015-03-31/functions/{function}/invocations", stack.url));

    let listed = invoke("back-office").json(&json!({"operation": "listOrgs"})).send().await.unwrap();
    assert_eq!((listed.status().as_u16(), listed.json::<Value>().await.unwrap()), (200, json!({"orgs": []})));

    let failed = invoke("points-award").json(&json!([])).send().await.unwrap();
    assert_eq!(
        (failed.status().as_u16(), &failed.headers()["x-amz-function-error"]),
        (200, &"Unhandled".parse().unwrap())
    );
    assert_eq!(failed.json::<Value>().await.unwrap()["errorType"], "internal");

    let later = invoke("back-office").header("x-amz-invocation-type", "Event");
    let later = later.json(&json!({"operation": "putOrg", "orgId": "shop", "name": "Shop"})).send().await.unwrap();
    assert_eq!(later.status(), 202);
    assert_eq!(invoke("back-office").header("x-amz-invocation-type", "DryRun").send().await.unwrap().status(), 204);
    assert_eq!(invoke("nothing").json(&json!({})).send().await.unwrap().status(), 404);
    assert_eq!(invoke("back-office").body("{").send().await.unwrap().status(), 400);

    let appeared = async {
        loop {
            let read =
                invoke("back-office").json(&json!({"operation": "getOrg", "orgId": "shop"})).send().await.unwrap();
            if read.json::<Value>().await.unwrap()["name"] == "Shop" {
                break;
            }
        }
    };
    tokio::time::timeout(programs::WAIT_MAX, appeared).await.expect("an asynchronous invocation is carried out");
    stack.stop("TERM").await;
}

#[tokio::test]
async fn a_too_large_body_is_rejected_after_the_authorization_check() {
    let stack = LocalStack::start(&[]).await;
    let http = programs::http();
    let post = || http.post(format!("{}/lambda-url/points-award/awards", stack.url)).body(vec![b' '; 1024 * 1024]);
    assert_eq!(post().send().await.unwrap().status(), 401);
    assert_eq!(post().bearer_auth("local-secret").send().await.unwrap().status(), 413);
    // This request has its own connection, because the stack closes the connection.
    let enormous =
        programs::http()
            .post(format!("{}/lambda-url/points-award/awards", stack.url))
            .body(vec![b' '; 7 * 1024 * 1024]);
    let enormous = enormous.send().await;
    assert!(enormous.is_err() || enormous.unwrap().status() == 413, "cut off, or told so");
    let got = http.get(format!("{}/2015-03-31/functions/back-office/invocations", stack.url)).send().await.unwrap();
    assert_eq!(got.status(), 405);
    let lost = http.get(format!("{}/lambda-url/nothing/health", stack.url)).send().await.unwrap();
    assert_eq!(lost.status(), 404);
    assert_eq!(http.get(&stack.url).send().await.unwrap().status(), 404);
    stack.stop("TERM").await;
}

#[tokio::test]
async fn the_stack_runs_on_another_dynamodb_and_creates_the_table_there() {
    let first = LocalStack::start(&[]).await;
    let second = LocalStack::start(&["--dynamodb", &first.dynamodb]).await;
    assert_eq!(second.dynamodb, first.dynamodb);
    let http = programs::http();
    let org = |stack: &LocalStack| format!("{}/lambda-url/back-office/orgs/shop", stack.url);
    http.put(org(&second)).bearer_auth("local-secret").json(&json!({"name": "Shop"})).send().await.unwrap();
    assert_eq!(http.get(org(&first)).bearer_auth("local-secret").send().await.unwrap().status(), 200);
    second.stop("TERM").await;
    first.stop("TERM").await;
    let nobody = refused(&["--dynamodb", "http://127.0.0.1:1"]).await;
    assert!(nobody.err.contains("DynamoDB does not answer"), "{}", nobody.err);
}

#[tokio::test]
async fn the_stack_runs_a_command_when_ready_and_ends_with_the_command() {
    let command = |stay: &[&str], script: &str| {
        let mut command = programs::command("local");
        command.args(["--port", "0"]).args(stay).args(["--", "sh", "-c", script]);
        command
    };
    let ended = programs::run(&mut command(&[], "echo at $REGULARS_URL; exit 7")).await;
    assert_eq!(ended.code, Some(7));
    assert!(ended.out.contains("at http://127.0.0.1:"), "{}", ended.out);
    let failed = programs::run(&mut command(&["--stay"], "exit 3")).await;
    assert_eq!(failed.code, Some(3), "what could not be set up is not served");
}

#[tokio::test]
async fn no_client_can_keep_the_stack_from_ending() {
    use tokio::io::AsyncWriteExt;
    let stack = LocalStack::start(&[]).await;
    let address = stack.url.trim_start_matches("http://").to_owned();
    let mut half = tokio::net::TcpStream::connect(&address).await.unwrap();
    half.write_all(b"POST /lambda-url/points-award/awards HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        .await
        .unwrap();
    assert_eq!(stack.stop("TERM").await.code, Some(0));
    drop(half);
}

#[tokio::test]
async fn the_stack_completes_accepted_asynchronous_calls_before_ending() {
    let file = scratch("regulars.db");
    let data = ["--data", file.to_str().unwrap()];
    let http = programs::http();
    let stack = LocalStack::start(&data).await;
    for number in 0..50 {
        let event = json!({"operation": "putOrg", "orgId": format!("o{number:02}"), "name": "Later"});
        let invoke = http.post(format!("{}/2015-03-31/functions/back-office/invocations", stack.url));
        let answer = invoke.header("x-amz-invocation-type", "Event").json(&event).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    stack.stop("TERM").await;
    let stack = LocalStack::start(&data).await;
    let list = http.get(format!("{}/lambda-url/back-office/orgs?limit=100", stack.url)).bearer_auth("local-secret");
    let listed: Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["orgs"].as_array().unwrap().len(), 50);
    stack.stop("TERM").await;
}

#[tokio::test]
async fn an_empty_dynamodb_address_counts_as_unset() {
    let mut command = programs::command("local");
    let ended = programs::run(command.args(["--port", "0", "--", "true"]).env("AWS_ENDPOINT_URL_DYNAMODB", "")).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(refused(&["--dynamodb", "localhost:8000"]).await.err.contains("must begin with http://"));
}

#[tokio::test]
async fn the_stack_finishes_requests_in_flight_before_ending() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stack = LocalStack::start(&[]).await;
    let mut client = tokio::net::TcpStream::connect(stack.url.trim_start_matches("http://")).await.unwrap();
    let body = r#"{"name": "Shop"}"#;
    let head = format!(
        "PUT /lambda-url/back-office/orgs/shop HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local-secret\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    client.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "it has begun to read the request");

    let address = stack.url.trim_start_matches("http://").to_owned();
    let finish = async {
        // The stack no longer listens, so it has received the signal.
        while tokio::net::TcpStream::connect(&address).await.is_ok() {}
        client.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    };
    let (ended, ()) = tokio::join!(stack.stop("TERM"), finish);
    assert_eq!(ended.code, Some(0));
}

#[tokio::test]
async fn every_churn_setting_is_a_template_parameter_and_reaches_the_local_function() {
    let config = fs::read_to_string(root().join("shared/src/config.rs")).unwrap();
    let template = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let names = config.split("get(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let settings: Vec<&str> = names.filter(|name| name.starts_with("CHURN_")).collect();
    assert!(settings.len() >= 5, "{settings:?}");
    for setting in settings {
        assert!(template.contains(&format!("{setting}: !Ref ")), "{setting} is no parameter");
        if setting == "CHURN_MODEL" {
            continue;
        }
        let mut local = programs::command("local");
        let ended = programs::run(local.args(["--port", "0"]).env(setting, "many")).await;
        assert_eq!((ended.code, ended.err.lines().count()), (Some(1), 1), "{ended:?}");
        assert!(ended.err.contains(setting), "{}", ended.err);
    }
}
