//! Every list of the functions names the same functions.

use std::collections::BTreeSet;

use harness::root;
use local::{FUNCTIONS, template::Template};

use super::source::{code, function_folders, text};

#[test]
fn folder_package_binary_template_and_local_stack_name_the_same_functions() {
    let folders = function_folders();
    for function in &folders {
        let manifest = text(&format!("functions/{function}/Cargo.toml"));
        assert!(manifest.contains(&format!("[package]\nname = \"{function}\"")), "{function}");
        assert!(manifest.contains(&format!("[[bin]]\nname = \"{function}\"")), "{function}");
    }
    let template = Template::read(&text("infra/template.yaml"), &std::collections::HashMap::new()).unwrap();
    assert_eq!(template.functions.keys().cloned().collect::<BTreeSet<_>>(), folders);
    assert_eq!(FUNCTIONS.map(|function| function.name.to_owned()).into_iter().collect::<BTreeSet<_>>(), folders);
    for function in FUNCTIONS {
        let accepted: BTreeSet<&str> = function.operations().filter_map(|operation| operation.event).collect();
        let delivered: BTreeSet<&str> = template.functions[function.name].events.iter().map(String::as_str).collect();
        assert_eq!(accepted, delivered, "the events of {}", function.name);
        let accepts_schedules = function.operations().any(|operation| operation.scheduled);
        let has_schedule = template.functions[function.name].is_scheduled();
        assert_eq!(accepts_schedules, has_schedule, "the schedule of {}", function.name);
    }
    let addresses = text("infra/ctl/src/addresses.rs");
    for function in &folders {
        assert!(addresses.contains(&format!("\"{function}\",")), "ctl has no address for {function}");
    }
}

#[test]
fn the_crates_that_may_log_in_detail_are_those_that_run_as_functions() {
    let code = code(&root().join("shared/src/telemetry/log.rs"));
    let listed = code.split_once("const OWN_CRATES").unwrap().1.split_once("= [").unwrap().1.split_once(']').unwrap().0;
    let listed: BTreeSet<String> = listed.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let functions = function_folders().into_iter().map(|name| name.replace('-', "_"));
    assert_eq!(listed, functions.chain(["shared", "local"].map(str::to_owned)).collect());
}
