//! Each role allows what its function does, and nothing else. In every other test the proxy rejects actions that the
//! role does not allow (`harness/faults.rs`).

use std::collections::BTreeSet;

use harness::{World, operations::call_every_operation, roles};
use serde_json::{Value, json};

/// The allowed actions on other resources than the table, as `action on resource`.
fn beside_the_table(template: &Value, properties: &Value) -> BTreeSet<String> {
    let allowed = roles::allowed_actions(template, properties).into_iter();
    let beside = allowed.filter(|(action, _)| !action.starts_with("dynamodb:"));
    beside.map(|(action, on)| format!("{action} on {on}")).collect()
}

fn at(name: &str) -> Value {
    json!({"Fn::GetAtt": [name, "Arn"]})
}

#[tokio::test]
async fn a_role_allows_only_the_table_operations_of_its_function() {
    let world = World::new().await;
    call_every_operation(&world).await;
    let taken = world.proxy.take_actions();
    for (function, allowed) in roles::table_actions() {
        let idle: Vec<_> = allowed.difference(&taken[&function]).collect();
        assert!(idle.is_empty(), "{function} never does {idle:?}");
    }
}

#[test]
fn apart_from_the_table_a_role_allows_only_its_secrets_its_queue_and_its_log() {
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
fn the_secrets_have_the_names_used_in_ctl_and_in_the_documents() {
    let template = roles::template();
    for (resource, name) in
        [("CronSecret", "cron-secret"), ("AnthropicKey", "anthropic-key"), ("SlackWebhook", "slack-webhook")]
    {
        let named = &template["Resources"][resource]["Properties"]["Name"]["Fn::Sub"];
        assert_eq!(*named, format!("${{AWS::StackName}}-{name}"));
    }
}

#[test]
fn no_policy_allows_all_actions_or_all_resources() {
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
