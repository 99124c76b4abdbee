//! One role a function, with what it does and nothing else. That no function does more than its role allows, every test
//! shows: the wire refuses it (`harness/faults.rs`).

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Request, World, bundles, instant, roles, scenario, world::ORG};
use serde_json::{Value, json};

/// Every sort of thing that each function does with the table.
pub(crate) async fn everything_is_done(world: &World) {
    let succeeds = async |request: Request, at: &str| {
        let answer = world.send_at(&request, instant(at)).await;
        assert!(answer.status.is_success(), "{} {}: {}", request.method, request.path, answer.body);
        answer.body
    };
    let noon = "2026-06-01T12:00:00Z";
    let back_office =
        |method: &'static str, path: &str| Request::new(method, "back-office", format!("/orgs/{ORG}{path}"));

    for customer in ["ada", "bob"] {
        succeeds(back_office("PUT", &format!("/customers/{customer}")).json(&json!({})), noon).await;
    }
    succeeds(scenario::adjustment("ada", "a1", 500), noon).await;
    for path in ["/customers", "/customers/ada/activity", "/bundles"] {
        succeeds(back_office("GET", path), noon).await;
    }
    let key = succeeds(back_office("POST", "/keys").json(&json!({"name": "till"})), noon).await;
    succeeds(back_office("DELETE", &format!("/keys/{}", key["keyId"].as_str().unwrap())), noon).await;

    succeeds(scenario::award("ada", "o1", "250", &json!({})), noon).await;
    succeeds(scenario::refund_request("ada", "o1", "r1", Some("10")), noon).await;
    // Of a refund whose amount is not on record, the others of the order say what it was.
    succeeds(scenario::award("ada", "o9", "30", &json!({})), noon).await;
    succeeds(scenario::refund_request("ada", "o9", "r9", None), noon).await;
    let text = |value: String| AttributeValue::S(value);
    let strip = world.client.update_item().table_name(&world.table).update_expression("REMOVE #total, version");
    let strip = strip.key("pk", text(format!("ORDER#{ORG}#o9"))).key("sk", text("REFUND#r9".into()));
    strip.expression_attribute_names("#total", "total").send().await.unwrap();
    succeeds(scenario::void_refund("ada", "o9", "r9"), noon).await;
    succeeds(scenario::spend("ada", "o2", 100, "49.99"), noon).await;
    succeeds(scenario::unspend("ada", "o2"), noon).await;
    let spent = format!("/redemptions?orgId={ORG}&customerId=ada");
    succeeds(Request::new("GET", "points-redemption", spent), noon).await;

    let timed = json!({"startDate": "2026-06-01T13:00:00Z", "maxRedemptions": 5});
    succeeds(bundles::put("b", &timed), noon).await;
    // Another zone leaves a mark, which the job takes away.
    succeeds(back_office("PUT", "").json(&json!({"name": "Shop", "timezone": "Asia/Kolkata"})), noon).await;
    let later = "2026-06-01T13:05:00Z";
    succeeds(bundles::job(&json!({})), later).await;
    succeeds(bundles::redeem("b", "ada", "o3", &json!({})), later).await;
    // Newer zone rules mark every org.
    bundles::judged_by_older_rules(world, ORG, "b").await;
    succeeds(bundles::job(&json!({})), later).await;
    // Of this order something is on record already.
    succeeds(bundles::redeem("b", "ada", "o1", &json!({})), later).await;
    succeeds(bundles::void("b", "o3"), later).await;
    let redeemed = format!("/redemptions?orgId={ORG}&bundleId=b");
    succeeds(Request::new("GET", "bundle-redemption", redeemed), later).await;
    let cancelled = json!({"orgId": ORG, "orderId": "o3", "customerId": "ada"});
    world.invoke("bundle-redemption", scenario::event("OrderCancelled", cancelled)).await.unwrap();

    succeeds(scenario::prediction(&json!({})), later).await;
    // One that has to stop after an org keeps where it goes on, and the next takes that away.
    succeeds(Request::new("PUT", "back-office", "/orgs/another").json(&json!({"name": "Another"})), later).await;
    let report = Request::new("POST", "weekly-report", "/").json(&json!({}));
    let stopped = world.send_within(&report, instant(later), Duration::from_secs(5)).await.body;
    assert!(stopped["cursor"].is_string(), "{stopped}");
    succeeds(report, later).await;
    // By then somebody's tier is lowered.
    succeeds(scenario::recalculation(&json!({})), "2027-01-01T00:00:00Z").await;

    let disposable = json!({"name": "To go", "disposable": true});
    succeeds(Request::new("PUT", "back-office", "/orgs/to-go").json(&disposable), noon).await;
    succeeds(Request::new("DELETE", "back-office", "/orgs/to-go"), noon).await;
}

/// What is allowed beside the table, as `action on resource`.
fn beside_the_table(template: &Value, properties: &Value) -> BTreeSet<String> {
    let allowed = roles::allowed(template, properties).into_iter();
    let beside = allowed.filter(|(action, _)| !action.starts_with("dynamodb:"));
    beside.map(|(action, on)| format!("{action} on {on}")).collect()
}

fn at(name: &str) -> Value {
    json!({"Fn::GetAtt": [name, "Arn"]})
}

#[tokio::test]
async fn no_role_allows_what_its_function_does_not_do_with_the_table() {
    let world = World::new().await;
    everything_is_done(&world).await;
    let taken = world.wire.take_taken();
    for (function, allowed) in roles::on_the_table() {
        let idle: Vec<_> = allowed.difference(&taken[&function]).collect();
        assert!(idle.is_empty(), "{function} never does {idle:?}");
    }
}

#[test]
fn beside_the_table_a_role_allows_the_secrets_its_function_is_told_of_its_own_queue_and_its_own_log() {
    let template = roles::template();
    let shared = template["Globals"]["Function"]["Environment"]["Variables"].clone();
    for (function, (resource, properties)) in roles::functions(&template) {
        let own = properties["Environment"]["Variables"].clone();
        let variables = [&shared, &own].into_iter().filter_map(Value::as_object).flatten();
        let secrets = variables.filter(|(name, _)| {
            ["CRON_SECRET_NAME", "ANTHROPIC_SECRET", "SLACK_WEBHOOK_SECRET"].contains(&name.as_str())
        });
        let mut expected: BTreeSet<String> =
            secrets.map(|(_, secret)| format!("secretsmanager:GetSecretValue on {secret}")).collect();
        let (queue, logs) = (at(&format!("{resource}Failures")), format!("{resource}Logs"));
        expected.insert(format!("sqs:SendMessage on {queue}"));
        expected.extend(["CreateLogStream", "PutLogEvents"].map(|action| format!("logs:{action} on {}", at(&logs))));
        assert_eq!(beside_the_table(&template, &properties), expected, "{function}");

        assert_eq!(
            properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"], queue,
            "{function}"
        );
        assert_eq!(properties["LoggingConfig"]["LogGroup"], json!({"Ref": logs}), "{function}");
        let name = format!("${{AWS::StackName}}-{function}");
        assert_eq!(properties["FunctionName"]["Fn::Sub"], name);
        let resources = &template["Resources"];
        let queue_name = &resources[format!("{resource}Failures")]["Properties"]["QueueName"]["Fn::Sub"];
        assert_eq!(*queue_name, format!("{name}-failures"), "where ctl redrive looks");
        let log_name = &resources[&logs]["Properties"]["LogGroupName"]["Fn::Sub"];
        assert_eq!(*log_name, format!("/aws/lambda/{name}"), "where ctl logs looks");
    }
}

#[test]
fn the_secrets_have_the_names_that_ctl_and_the_documents_know() {
    let template = roles::template();
    for (resource, name) in
        [("CronSecret", "cron-secret"), ("AnthropicKey", "anthropic-key"), ("SlackWebhook", "slack-webhook")]
    {
        let named = &template["Resources"][resource]["Properties"]["Name"]["Fn::Sub"];
        assert_eq!(*named, format!("${{AWS::StackName}}-{name}"));
    }
}

#[test]
fn no_policy_allows_everything_or_on_everything() {
    fn statements<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("Effect") {
                    found.push(value);
                }
                fields.values().for_each(|value| statements(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| statements(value, found)),
            _ => {}
        }
    }
    let template = roles::template();
    let mut found = Vec::new();
    statements(&template["Resources"], &mut found);
    assert!(found.len() > 40, "{}", found.len());
    for statement in found {
        let text = |name: &str| statement[name].to_string();
        assert!(!text("Action").contains('*'), "{statement}");
        assert!(!text("Resource").contains("\"*\""), "{statement}");
        assert!(statement.get("NotAction").is_none() && statement.get("NotResource").is_none(), "{statement}");
    }
}
