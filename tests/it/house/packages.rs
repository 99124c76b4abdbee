//! Which packages depend on which, and what the build of the demonstration shares with that of the tests.

use std::{collections::BTreeSet, process::Command};

use harness::root;

use super::source::{function_folders, text};

#[test]
fn packages_depend_only_on_allowed_packages() {
    let functions: Vec<String> = function_folders().into_iter().collect();
    let packages: Vec<(String, Vec<String>)> = functions
        .iter()
        .map(|function| (format!("functions/{function}"), ["shared", "declare"].map(str::to_owned).to_vec()))
        .chain([
            ("shared".to_owned(), vec!["declare".to_owned()]),
            ("shared/declare".to_owned(), vec![]),
            ("infra/api".to_owned(), [functions.clone(), vec!["shared".to_owned()]].concat()),
            ("infra/client".to_owned(), vec!["shared".to_owned()]),
            ("infra/ctl".to_owned(), [functions.clone(), ["client", "shared"].map(str::to_owned).to_vec()].concat()),
            ("infra/ops".to_owned(), ["client", "ctl", "shared"].map(str::to_owned).to_vec()),
            ("infra/local".to_owned(), [functions.clone(), vec!["shared".to_owned()]].concat()),
            (
                "tests".to_owned(),
                [functions.clone(), ["shared", "declare", "api", "client", "local"].map(str::to_owned).to_vec()]
                    .concat(),
            ),
        ])
        .collect();
    let own: Vec<String> =
        [functions, ["shared", "declare", "api", "client", "local", "ctl", "ops", "tests"].map(str::to_owned).to_vec()]
            .concat();
    for (folder, may_use) in packages {
        let manifest = text(&format!("{folder}/Cargo.toml"));
        let lines = manifest.lines().map(|line| line.rsplit("dependencies.").next().unwrap());
        let dependencies = lines.filter_map(|line| line.split(['.', ' ', '=', ']']).next());
        let forbidden: Vec<_> = dependencies
            .filter(|name| own.iter().any(|own| own == name) && !may_use.iter().any(|may_use| may_use == name))
            .collect();
        assert!(forbidden.is_empty(), "{folder} depends on {forbidden:?}");
    }
}

/// What a build of some packages contains: each library, its version and its features.
fn libraries(selection: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p} {f}"]).args(selection);
    let output = cargo.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn make_run_builds_only_its_programs_and_make_test_rebuilds_no_library() {
    assert!(text("Makefile").contains("demonstration:\n\t@cargo build --locked -p local -p ctl\n"));
    let demonstration = libraries(&["-p", "local", "-p", "ctl", "--edges", "normal,build"]);
    let everything = libraries(&["--workspace", "--edges", "normal,build,dev"]);
    let again: Vec<_> = demonstration.difference(&everything).filter(|line| !line.contains('/')).collect();
    assert!(again.is_empty(), "the tests build these again, with other features: {again:#?}");
    for client in ["cloudwatchlogs", "lambda", "scheduler", "sfn", "sqs"] {
        let is_client = |line: &String| line.starts_with(&format!("aws-sdk-{client} "));
        assert!(everything.iter().any(is_client), "{client}");
        assert!(!demonstration.iter().any(is_client), "make run builds the client of {client}");
    }
}
