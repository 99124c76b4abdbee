//! The state machine of the sweeps, checked without the service that runs it.

use std::collections::BTreeSet;

use harness::root;
use local::yaml;
use serde_json::{Map, Value};

fn machine() -> (String, Value) {
    let text = std::fs::read_to_string(root().join("infra/sweep.asl.yaml")).unwrap();
    let read = yaml::to_json(&text).unwrap();
    (text, read)
}

/// The states and the first state of the machine, and of the machine inside its map.
fn levels(machine: &Value) -> Vec<(&Map<String, Value>, &str)> {
    let inner = "/States/Orgs/ItemProcessor";
    let level = |at: &str| {
        let level = if at.is_empty() { machine } else { machine.pointer(at).unwrap() };
        (level["States"].as_object().unwrap(), level["StartAt"].as_str().unwrap())
    };
    vec![level(""), level(inner)]
}

/// The states that may follow a state.
fn next(state: &Value) -> Vec<&str> {
    let choices = state["Choices"].as_array().into_iter().flatten();
    let catches = state["Catch"].as_array().into_iter().flatten();
    let own = [&state["Next"], &state["Default"]].into_iter();
    own.chain(choices.chain(catches).map(|branch| &branch["Next"])).filter_map(Value::as_str).collect()
}

#[test]
fn every_state_is_reachable_and_only_final_states_have_no_successor() {
    let (_, machine) = machine();
    for (states, start) in levels(&machine) {
        let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(name) = open.pop() {
            let state = states.get(name).unwrap_or_else(|| panic!("there is no state {name}"));
            if reached.insert(name) {
                let leads = next(state);
                let ends = state["End"] == true || ["Succeed", "Fail"].contains(&state["Type"].as_str().unwrap());
                assert_eq!(leads.is_empty(), ends, "{name} leads somewhere or ends");
                open.extend(leads);
            }
        }
        let all: BTreeSet<&str> = states.keys().map(String::as_str).collect();
        assert_eq!(reached, all);
    }
}

#[test]
fn every_task_is_retried_and_then_sent_to_the_queue() {
    let (_, machine) = machine();
    for (states, _) in levels(&machine) {
        for (name, state) in
            states.iter().filter(|(_, state)| ["Task", "Map"].contains(&state["Type"].as_str().unwrap()))
        {
            assert!(state["Retry"][0]["MaxAttempts"].as_u64().unwrap() > 0, "{name}");
            let is_queue = state["Resource"] == "arn:aws:states:::sqs:sendMessage";
            let given_up = state["Catch"][0]["Next"].as_str().unwrap_or_default();
            assert_eq!(given_up.starts_with("GiveUp"), !is_queue, "{name}");
        }
    }
}

#[test]
fn each_sweep_fills_exactly_the_placeholders_of_the_definition() {
    let (text, _) = machine();
    let open: BTreeSet<&str> = text.split("${").skip(1).map(|part| part.split('}').next().unwrap()).collect();
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template = yaml::to_json(&template).unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    let sweeps: Vec<&Value> =
        resources.filter(|resource| resource["Type"] == "AWS::Serverless::StateMachine").collect();
    assert!(!sweeps.is_empty());
    for sweep in sweeps {
        assert_eq!(sweep["Properties"]["DefinitionUri"], "sweep.asl.yaml");
        let filled = sweep["Properties"]["DefinitionSubstitutions"].as_object().unwrap();
        assert_eq!(filled.keys().map(String::as_str).collect::<BTreeSet<_>>(), open);
    }
}
