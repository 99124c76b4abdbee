//! No log line has a name, an address or a phone number, at any level.

use std::fs;

use harness::programs::{self, FunctionServer, LocalStack};
use serde_json::json;

const FIRST_NAME: &str = "Adalovelace";
const LAST_NAME: &str = "Byronofrochdale";
const EMAIL: &str = "ada.byron@shop.example";
const PHONE: &str = "+442079460958";

/// Creates a customer with a full profile, and has the functions read and write the profile.
async fn use_customer(back_office: &str, award: Option<&str>) {
    let http = programs::http();
    let send = async |request: reqwest::RequestBuilder| {
        let answer = request.bearer_auth("local-secret").send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.text().await.unwrap()
    };
    let org = format!("{back_office}/orgs/shop");
    send(http.put(&org).json(&json!({"name": "Shop"}))).await;
    send(http.put(format!("{org}/loyalty")).json(&json!({}))).await;
    let customer = json!({"firstName": FIRST_NAME, "lastName": LAST_NAME, "email": EMAIL, "phone": PHONE});
    send(http.put(format!("{org}/customers/ada")).json(&customer)).await;
    if let Some(award) = award {
        let order = json!({"orgId": "shop", "customerId": "ada", "orderId": "o1", "orderTotal": 5});
        send(http.post(format!("{award}/awards")).json(&order)).await;
    }
    let listed = send(http.get(format!("{org}/customers"))).await;
    assert!([FIRST_NAME, LAST_NAME, EMAIL, PHONE].iter().all(|personal| listed.contains(personal)), "{listed}");
    let refused =
        http.put(format!("{org}/customers/ada")).json(&json!({"firstName": FIRST_NAME, "email": EMAIL, "phone": 7}));
    assert_eq!(refused.bearer_auth("local-secret").send().await.unwrap().status(), 422);
}

fn has_nothing_personal(log: &str) {
    for personal in [FIRST_NAME, LAST_NAME, EMAIL, PHONE, "ada.byron", "2079460958"] {
        assert!(!log.contains(personal), "{log}");
    }
}

#[tokio::test]
async fn the_local_stack_and_a_function_on_a_port_never_log_personal_data() {
    let log = std::env::temp_dir().join(format!("regulars-log-{:016x}", fastrand::u64(..)));
    let mut command = programs::command("local");
    command.args(["--port", "0", "--metrics"]).env("LOG_LEVEL", "trace").stderr(fs::File::create(&log).unwrap());
    let stack = LocalStack::start_with(&mut command).await;
    let url = |function: &str| format!("{}/lambda-url/{function}", stack.url);
    use_customer(&url("back-office"), Some(&url("points-award"))).await;

    let settings = [
        ("CRON_SECRET", "local-secret"),
        ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb.as_str()),
        ("LOG_LEVEL", "trace,hyper=trace,aws_smithy_runtime=trace"),
    ];
    let function = FunctionServer::start("back-office", &settings).await;
    use_customer(&function.url, None).await;
    function.signal("TERM").await;
    let ended = function.wait_exit().await;
    has_nothing_personal(&ended.err);
    has_nothing_personal(&ended.out);
    assert!(ended.err.contains(r#""code":"invalid_fields""#), "it does log: {}", ended.err);

    let ended = stack.stop("TERM").await;
    has_nothing_personal(&ended.out);
    let log = fs::read_to_string(&log).unwrap();
    has_nothing_personal(&log);
    assert!(log.contains(r#""code":"invalid_fields""#), "it does log: {log}");
}
