//! `ctl verify` passes on a sound stack, reports each broken system, and leaves nothing behind.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use harness::{
    programs::{self, LocalStack, ProgramOutput},
    stack_proxy::{Breakage, ProxiedAnswer, ProxiedCall, StackProxy},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use shared::store;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The line of each system that holds.
const SYSTEMS: [&str; 9] = [
    "✓ back office: ",
    "✓ bundle transitions: ",
    "✓ bundle redemption: ",
    "✓ points award: ",
    "✓ points redemption: ",
    "✓ points expiry: ",
    "✓ tier recalculation: ",
    "✓ churn prediction: ",
    "✓ weekly report: ",
];

async fn verify(arguments: &[&str]) -> ProgramOutput {
    programs::run(programs::command("ctl").arg("verify").args(arguments)).await
}

/// All items of the stack, by key.
async fn everything(stack: &LocalStack) -> BTreeMap<String, HashMap<String, AttributeValue>> {
    let client = store::local_client(&stack.dynamodb);
    let items = client.scan().table_name("regulars").send().await.unwrap().items.unwrap();
    let key =
        |item: &HashMap<String, AttributeValue>| ["pk", "sk"].map(|name| item[name].as_s().unwrap().as_str()).join(" ");
    items.into_iter().map(|item| (key(&item), item)).collect()
}

/// Breaks the stack in one way. Asserts that exactly the named systems fail, with these texts, that the exit code says so,
/// and that no org remains.
pub(super) async fn broken(broken: Breakage, says: Vec<(&str, &str)>) {
    let stack = LocalStack::start(&[]).await;
    let proxy = StackProxy::start(&stack.url, broken).await;
    let ended = verify(&["--url", &proxy.url]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let unmet: Vec<&str> = ended.out.lines().filter(|line| line.starts_with('✗')).collect();
    assert_eq!(unmet.len(), says.len(), "{}", ended.out);
    for (line, (system, unlike)) in unmet.iter().zip(&says) {
        assert!(line.starts_with(&format!("✗ {system}: ")) && line.contains(*unlike), "{line}");
    }
    let last = ended.out.lines().last().unwrap();
    assert!(last.starts_with(&format!("{} of 9 systems do not hold; the org is removed (", says.len())), "{last}");
    let left = everything(&stack).await;
    assert!(left.is_empty(), "{:?}", left.keys());
}

/// Breaks one system in each of several ways.
pub(super) async fn each_broken<const N: usize>(system: &str, ways: [(Breakage, &str); N]) {
    join_all(ways.map(|(way, says)| broken(way, vec![(system, says)]))).await;
}

#[tokio::test]
async fn verify_passes_on_a_local_stack_and_leaves_no_item_of_its_org() {
    let stack = LocalStack::start(&[]).await;
    let ended = verify(&["--url", &format!("{}/", stack.url)]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines.len(), SYSTEMS.len() + 2, "{}", ended.out);
    assert!(lines[0].starts_with("Checking every system in an org of its own, verify-2"), "{}", lines[0]);
    for (line, system) in lines[1..].iter().zip(SYSTEMS) {
        assert!(line.starts_with(system), "{line}");
    }
    assert!(lines[8].ends_with("(by the statistical model, without Claude: not_configured)"), "{}", lines[8]);
    assert!(lines[10].starts_with("All 9 systems hold; the org is removed ("), "{}", lines[10]);
    assert_eq!(everything(&stack).await, BTreeMap::new());
}

#[tokio::test]
async fn each_function_has_its_own_address_and_none_may_be_omitted() {
    let stack = LocalStack::start(&[]).await;
    let one = StackProxy::start(&stack.url, Breakage::Nothing).await;
    let functions = SYSTEMS.map(|line| line["✓ ".len()..line.len() - 2].replace(' ', "-"));
    let urls = functions.map(|function| format!("--url={function}={}/lambda-url/{function}/", one.url));
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let ended = verify(&urls).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!one.calls().is_empty());

    for (urls, says) in [
        (&urls[1..], "ctl: no address was given for back-office: --url back-office=https://…\n"),
        (&["--url=back-ofice=http://127.0.0.1:1"][..], "ctl: there is no function \"back-ofice\", only back-office, "),
        (&["--url=back-office=127.0.0.1"][..], "ctl: the address \"127.0.0.1\" must begin with http:// or https://\n"),
        (&["--url=http://"][..], "ctl: \"http://\" is not an address: empty host\n"),
        (&["--url=http://a", "--url=http://b"][..], "ctl: \"http://b\" is a second address for the same\n"),
    ] {
        let ended = verify(urls).await;
        assert_eq!((ended.code, ended.err.lines().count()), (Some(1), 1), "{ended:?}");
        assert!(ended.err.starts_with(says), "{}", ended.err);
    }
}

#[tokio::test]
async fn an_outage_a_wrong_secret_and_a_wrong_address_are_one_clear_line_each() {
    let nobody = verify(&["--url", "http://127.0.0.1:1"]).await;
    assert_eq!((nobody.code, nobody.out.as_str(), nobody.err.lines().count()), (Some(1), "", 1), "{nobody:?}");
    assert!(nobody.err.starts_with("ctl: http://127.0.0.1:1/lambda-url/back-office does not answer: "), "{nobody:?}");

    let stack = LocalStack::start(&[]).await;
    let refused = verify(&["--url", &stack.url, "--secret", "nobodys-business"]).await;
    assert_eq!((refused.code, refused.out.as_str(), refused.err.lines().count()), (Some(1), "", 1), "{refused:?}");
    assert!(refused.err.starts_with("ctl: the secret is refused: 401 unauthorized: "), "{refused:?}");
    assert!(!refused.err.contains("nobodys-business"));

    let elsewhere = verify(&["--url", &format!("{}/elsewhere", stack.url)]).await;
    let lines = (elsewhere.code, elsewhere.out.as_str(), elsewhere.err.lines().count());
    assert_eq!(lines, (Some(1), "", 1), "{elsewhere:?}");
    let says = "ctl: no back office answers there: expected 404 unknown_org, came 404 unknown_route: ";
    assert!(elsewhere.err.starts_with(says), "{elsewhere:?}");
    assert_eq!(everything(&stack).await, BTreeMap::new());
}

#[tokio::test]
async fn an_interrupted_verify_still_removes_its_org() {
    let stack = LocalStack::start(&[]).await;
    for signal in ["INT", "TERM"] {
        let mut ctl = programs::command("ctl").args(["verify", "--url", &stack.url]).spawn().unwrap();
        let mut out = BufReader::new(ctl.stdout.take().unwrap()).lines();
        // The program is waiting for a bundle to open.
        while !out.next_line().await.unwrap().expect("it goes on").starts_with(SYSTEMS[0]) {}
        assert!(!everything(&stack).await.is_empty());
        let id = ctl.id().unwrap().to_string();
        assert!(Command::new("kill").args([format!("-{signal}"), id]).status().await.unwrap().success());
        let last = out.next_line().await.unwrap().unwrap();
        assert!(last.starts_with("Cut short: interrupted; the org is removed ("), "{last}");
        let status = tokio::time::timeout(programs::WAIT_MAX, ctl.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(1));
        assert_eq!(everything(&stack).await, BTreeMap::new());
    }
}

#[tokio::test]
async fn verify_reports_on_an_existing_org_without_changing_it() {
    let stack = LocalStack::start(&[]).await;
    let http = programs::http();
    let send = async |method: Method, path: &str, body: Value| {
        let request = http.request(method, format!("{}/lambda-url/{path}", stack.url)).bearer_auth("local-secret");
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    };
    let offer = json!({
        "name": "Two for less", "type": "bogo", "originalTotal": 30, "bundlePrice": 20,
        "products": [{"productId": "cd", "name": "Disc", "requiredQty": 2, "originalPrice": 15}],
    });
    let mut published = offer.clone();
    published["desiredState"] = json!("published");
    let order = json!({"orgId": "shop", "customerId": "ada", "orderId": "o1", "orderTotal": 250});
    for (method, path, body) in [
        (Method::PUT, "back-office/orgs/shop", json!({"name": "Corner Shop"})),
        (Method::PUT, "back-office/orgs/shop/loyalty", json!({})),
        (Method::PUT, "back-office/orgs/shop/bundles/on", published),
        (Method::PUT, "back-office/orgs/shop/bundles/off", offer),
        (Method::PUT, "back-office/orgs/shop/customers/ada", json!({})),
        (Method::PUT, "back-office/orgs/shop/customers/bo", json!({})),
        (Method::POST, "points-award/awards", order),
        (Method::POST, "churn-prediction/", json!({"orgId": "shop"})),
    ] {
        send(method, path, body).await;
    }
    let before = everything(&stack).await;
    let proxy = StackProxy::start(&stack.url, Breakage::Nothing).await;
    let ended = verify(&["--url", &proxy.url, "--org", "shop"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(everything(&stack).await, before);
    let about_it = |call: &ProxiedCall| call.path.contains("/orgs/shop") || call.body["orgId"] == "shop";
    let about_it: Vec<ProxiedCall> = proxy.calls().into_iter().filter(about_it).collect();
    assert!(about_it.len() >= 3 && about_it.iter().all(|call| call.method == Method::GET), "{about_it:?}");

    let table: Vec<&str> = ended.out.lines().take(8).collect();
    let expected = [
        "The org shop, Corner Shop, as it is",
        "  settings              on; 1 a USD, 1.2 times that with equity status; lowered after 180 days, active for 90",
        "  bundles, as recorded  1 active, 1 draft",
        "  customers             2",
        "  with points           1, 250 points in all",
        "  tiers                 1 Bronze, 1 Silver",
    ];
    assert_eq!(table[..6], expected);
    assert!(table[6].starts_with("  at risk of leaving    1 "), "{}", table[6]);
    assert_eq!(table[7], "  scored                1 statistical; 0 to 0 days ago");

    let unknown = verify(&["--url", &proxy.url, "--org", "nobody"]).await;
    let says = "ctl: org nobody: 404 unknown_org: There is no org with this id.\n";
    assert_eq!((unknown.code, unknown.out.as_str(), unknown.err.as_str()), (Some(1), "", says));
    assert_eq!(everything(&stack).await, before);
}

#[tokio::test]
async fn verify_reports_bundle_transitions_that_are_down_unreported_or_not_made() {
    let system = "bundle transitions";
    let silent = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.function == "bundle-transitions" {
            answer.body["transitions"] = json!([]);
        }
    };
    let idle = |call: &mut ProxiedCall| {
        if call.function == "bundle-transitions" {
            call.body["dryRun"] = json!(true);
        }
    };
    let ways = [
        (Breakage::Down("bundle-transitions"), "expected 200, came 500 internal: Broken on purpose."),
        (
            Breakage::ChangedAnswer(silent),
            "expected scheduled -> active in the answer of one of two calls, came neither",
        ),
        (Breakage::ChangedRequest(idle), "expected that on record within 10 seconds, came nothing"),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_bundle_redemption_that_is_down_or_accepts_a_third() {
    let system = "bundle redemption";
    let generous = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.function == "bundle-redemption" && answer.body["code"] == "limit_reached" {
            *answer = ProxiedAnswer { status: StatusCode::CREATED, body: json!({"currentRedemptions": 3}) };
        }
    };
    let third = "the third order of two (POST bundle-redemption): expected 409 limit_reached, came 201 {";
    let ways = [
        (Breakage::Down("bundle-redemption"), "expected 201, came 500 internal"),
        (Breakage::ChangedAnswer(generous), third),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_weekly_report_that_is_down_or_omits_a_customer() {
    let system = "weekly report";
    let forgets = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.function == "weekly-report" {
            answer.body["orgs"][0]["figures"]["tiers"][0]["count"] = json!(0);
        }
    };
    let ways = [
        (
            Breakage::Down("weekly-report"),
            "the report of the org (POST weekly-report): expected 200, came 500 internal",
        ),
        (Breakage::ChangedAnswer(forgets), "customers in its tiers, came"),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_tier_recalculation_that_is_down_or_changes_too_little_or_much() {
    let system = "tier recalculation";
    let idle = |call: &mut ProxiedCall| {
        if call.function == "tier-recalculation" {
            call.body["dryRun"] = json!(true);
        }
    };
    let rash = |call: &mut ProxiedCall| {
        if call.function == "tier-recalculation" {
            call.body["dryRun"] = json!(false);
        }
    };
    let ways = [
        (Breakage::Down("tier-recalculation"), "expected 200, came 500 internal"),
        (
            Breakage::ChangedRequest(idle),
            "after the run: the customer idle (GET back-office): expected tier \"Silver\", came \"Bronze\"",
        ),
        (
            Breakage::ChangedRequest(rash),
            "after the dry run: the customer idle (GET back-office): expected tier \"Bronze\", came \"Silver\"",
        ),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_churn_prediction_that_is_down_out_of_range_or_incomplete() {
    let system = "churn prediction";
    let certain = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.function == "back-office" && answer.body.get("churnProbability").is_some() {
            answer.body["churnProbability"] = json!(130);
        }
    };
    let one_less = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.function == "churn-prediction" {
            answer.body["results"][0]["statistical"] = json!(5);
        }
    };
    let idle = |call: &mut ProxiedCall| {
        if call.function == "churn-prediction" {
            call.body["customerId"] = json!("often");
        }
    };
    let ways = [
        (Breakage::Down("churn-prediction"), "expected 200, came 500 internal"),
        (Breakage::ChangedAnswer(certain), "expected a churnProbability from 0 to 100, came 130"),
        (Breakage::ChangedAnswer(one_less), "came 0 by Claude and 5 by the statistical model, 6 in all"),
        (Breakage::ChangedRequest(idle), "expected a score for each of 6 active customers, came 0 by Claude and 1"),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_back_office_that_is_down_or_accepts_a_key_anywhere() {
    let lenient = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.path.starts_with("/orgs/verify-elsewhere") {
            *answer = ProxiedAnswer { status: StatusCode::OK, body: json!({}) };
        }
    };
    broken(
        Breakage::ChangedAnswer(lenient),
        vec![("back office", "the org's key at another org (GET back-office): expected 403 other_org, came 200")],
    )
    .await;

    let stack = LocalStack::start(&[]).await;
    let proxy = StackProxy::start(&stack.url, Breakage::Down("back-office")).await;
    let ended = verify(&["--url", &proxy.url]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.out.contains("✗ back office: an org that is created (PUT back-office): expected 201, came 500"),
        "{ended:?}"
    );
    assert!(ended.out.contains("\nCut short: there is no org to check the rest in ("), "{ended:?}");
    assert!(ended.err.contains(" may be left behind: 500 internal: Broken on purpose."), "{ended:?}");
}
