//! The house: who may import whom, what the root holds, and that folder, package, template and local stack agree.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness::root;
use local::{FUNCTIONS, template::Template};

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// A file without its comments, so that prose imports nothing.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first names after `prefix`: `crate::a::b` names `a`, `crate::{a, b::c}` names `a` and `b`.
fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let ident = |text: &str| text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(ident(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (index, char) in group.char_indices() {
            match char {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ if char.is_whitespace() => {}
                _ if start && depth == 0 => {
                    names.insert(ident(&group[index..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    names.remove("");
    names
}

/// The rows of the first table in the documentation of a file, cell by cell; its head must be this.
fn table(file: &str, head: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let mut rows = text.lines().filter_map(|line| line.strip_prefix("//! |"));
    assert_eq!(rows.next().map(str::trim_start), Some(head), "{file}");
    assert!(rows.next().is_some_and(|line| line.starts_with("---")), "{file}");
    rows.map(|row| row.trim_end_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in backticks, without the crate before it.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The modules that a file declares.
fn modules(file: &str) -> BTreeSet<String> {
    let code = code(&root().join(file));
    let named = code.lines().filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod "));
    named.filter_map(|name| name.strip_suffix(';')).map(str::to_owned).collect()
}

/// The rooms of `shared`, and those that each may import.
fn rooms() -> Vec<(String, Vec<String>)> {
    let rows = table("shared/src/lib.rs", "room | what it is | may import |");
    let room = |row: Vec<String>| {
        // What the rules may import are libraries.
        let may = if row[0] == "[`domain`]" { "" } else { &row[2] };
        let may = may.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        (quoted(&row[0]).remove(0), may)
    };
    rows.into_iter().map(room).collect()
}

/// The libraries that the rules may import: everywhere, in those of churn, and in that of zones.
fn libraries_of_the_rules() -> [Vec<String>; 3] {
    let rows = table("shared/src/lib.rs", "room | what it is | may import |");
    let cell = rows.iter().find(|row| row[0] == "[`domain`]").unwrap()[2].clone();
    let [everywhere, of_churn, of_zones]: [&str; 3] = cell.split("; ").collect::<Vec<_>>().try_into().unwrap();
    let within = |part: &str, module: &str| {
        let mut names = quoted(part);
        assert_eq!(names.remove(0), module);
        names
    };
    [quoted(everywhere), within(of_churn, "domain::churn"), within(of_zones, "domain::zone")]
}

fn room_files(room: &str) -> Vec<PathBuf> {
    let src = root().join("shared/src");
    let file = src.join(format!("{room}.rs"));
    if file.exists() { vec![file] } else { rust_files(&src.join(room)) }
}

#[test]
fn every_room_of_shared_is_known() {
    let rooms = rooms();
    let named: BTreeSet<String> = rooms.iter().map(|(room, _)| room.clone()).collect();
    assert_eq!((&named, named.len()), (&modules("shared/src/lib.rs"), rooms.len()));
    for (room, may) in &rooms {
        assert!(may.iter().all(|name| named.contains(name)), "{room} may import {may:?}");
    }
}

#[test]
fn every_room_of_the_store_and_of_what_tests_are_made_of_is_in_the_table_of_its_front_door_once() {
    for (file, head, column) in
        [("shared/src/store/mod.rs", "to find | look in |", 1), ("tests/harness/lib.rs", "room | what it is |", 0)]
    {
        let rows = table(file, head);
        let named: Vec<String> = rows.iter().flat_map(|row| quoted(&row[column])).collect();
        let once: BTreeSet<String> = named.iter().cloned().collect();
        assert_eq!((&once, named.len()), (&modules(file), once.len()), "{file}");
        assert!(rows.iter().flatten().all(|cell| !cell.is_empty()), "{file}");
    }
}

#[test]
fn rooms_of_shared_import_only_what_they_may() {
    let rooms = rooms();
    for (room, may) in &rooms {
        for file in room_files(room) {
            let code = code(&file);
            let mut imported = names_after(&code, "crate::");
            // From a room's front door, `super` is the crate.
            if file.ends_with(format!("{room}.rs")) || file.ends_with(format!("{room}/mod.rs")) {
                imported.extend(names_after(&code, "super::"));
            }
            imported.extend(
                names_after(&code, "super::super::")
                    .into_iter()
                    .filter(|name| rooms.iter().any(|(room, _)| room == name)),
            );
            imported.remove(room);
            let stray: Vec<_> = imported.into_iter().filter(|name| !may.contains(name)).collect();
            assert!(stray.is_empty(), "{} imports {stray:?}", file.display());
        }
    }
}

#[test]
fn the_rules_use_only_decimals_dates_and_serde_and_nothing_that_acts() {
    let [everywhere, of_churn, of_zones] = libraries_of_the_rules();
    for file in room_files("domain") {
        let code = code(&file);
        let is_churn = file.starts_with(root().join("shared/src/domain/churn"));
        let is_zone = file == root().join("shared/src/domain/zone.rs");
        let may = |name: &str| {
            let is_of = |libraries: &[String]| libraries.iter().any(|library| library == name);
            ["std", "crate", "super", "self"].contains(&name)
                || is_of(&everywhere)
                || (is_churn && is_of(&of_churn))
                || (is_zone && is_of(&of_zones))
        };
        for line in code.lines().map(str::trim_start) {
            let import = line.strip_prefix("use ").or_else(|| line.strip_prefix("pub use "));
            let name = import.and_then(|import| import.split([':', ';', ' ']).next());
            assert!(name.is_none_or(may), "{}: {line}", file.display());
        }
        for library in &of_churn {
            assert!(is_churn || !code.contains(&format!("{library}::")), "{} has {library}", file.display());
        }
        for library in &of_zones {
            assert!(is_zone || !code.contains(&format!("{library}::")), "{} has {library}", file.display());
        }
        for banned in
            ["async", "std::env", "std::fs", "std::io", "std::net", "std::thread", "std::process", "::now()", "Instant"]
        {
            assert!(!code.contains(banned), "{} has {banned}", file.display());
        }
    }
}

#[test]
fn packages_depend_only_on_what_they_may() {
    let mut functions: Vec<String> = function_folders().into_iter().collect();
    functions.sort();
    let packages: Vec<(String, Vec<String>)> = functions
        .iter()
        .map(|function| (format!("functions/{function}"), vec!["shared".to_owned()]))
        .chain([
            ("shared".to_owned(), vec![]),
            ("infra/ctl".to_owned(), vec!["shared".to_owned()]),
            ("infra/ops".to_owned(), ["ctl", "shared"].map(str::to_owned).to_vec()),
            ("infra/local".to_owned(), [functions.clone(), vec!["shared".to_owned()]].concat()),
            ("tests".to_owned(), [functions.clone(), vec!["shared".to_owned(), "local".to_owned()]].concat()),
        ])
        .collect();
    let ours: Vec<String> =
        [functions, ["shared", "local", "ctl", "ops", "tests"].map(str::to_owned).to_vec()].concat();
    for (folder, may) in packages {
        let manifest = fs::read_to_string(root().join(&folder).join("Cargo.toml")).unwrap();
        let lines = manifest.lines().map(|line| line.rsplit("dependencies.").next().unwrap());
        let dependencies = lines.filter_map(|line| line.split(['.', ' ', '=', ']']).next());
        let stray: Vec<_> = dependencies
            .filter(|name| ours.iter().any(|our| our == name) && !may.iter().any(|may| may == name))
            .collect();
        assert!(stray.is_empty(), "{folder} depends on {stray:?}");
    }
}

fn function_folders() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("functions")).unwrap();
    folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_crates_that_may_log_in_detail_are_those_that_run_as_functions() {
    let telemetry = code(&root().join("shared/src/telemetry/log.rs"));
    let listed = telemetry.split_once("const OWN").unwrap().1.split_once("= [").unwrap().1.split_once(']').unwrap().0;
    let listed: BTreeSet<String> = listed.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let functions = function_folders().into_iter().map(|name| name.replace('-', "_"));
    assert_eq!(listed, functions.chain(["shared", "local"].map(str::to_owned)).collect());
}

/// What is built for some packages: each library, its version and its features.
fn built(selection: &[&str]) -> BTreeSet<String> {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p} {f}"]).args(selection);
    let output = cargo.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn make_run_builds_what_it_runs_and_what_make_test_builds_no_library_anew() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(makefile.contains("demonstration:\n\t@cargo build --locked -p local -p ctl\n"));
    let demonstration = built(&["-p", "local", "-p", "ctl", "--edges", "normal,build"]);
    let everything = built(&["--workspace", "--edges", "normal,build,dev"]);
    let otherwise: Vec<_> = demonstration.difference(&everything).filter(|line| !line.contains('/')).collect();
    assert!(otherwise.is_empty(), "built again for the tests, with other features: {otherwise:#?}");
    for client in ["cloudwatchlogs", "lambda", "scheduler", "sfn", "sqs"] {
        let is_client = |line: &String| line.starts_with(&format!("aws-sdk-{client} "));
        assert!(everything.iter().any(is_client), "{client}");
        assert!(!demonstration.iter().any(is_client), "make run builds the client of {client}");
    }
}

#[test]
fn folder_package_binary_template_and_local_stack_name_the_same_functions() {
    let folders = function_folders();
    for function in &folders {
        let manifest = fs::read_to_string(root().join("functions").join(function).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("[package]\nname = \"{function}\"")), "{function}");
        assert!(manifest.contains(&format!("[[bin]]\nname = \"{function}\"")), "{function}");
    }
    let text = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template = Template::read(&text, &std::collections::HashMap::new()).unwrap();
    assert_eq!(template.functions.keys().cloned().collect::<BTreeSet<_>>(), folders);
    assert_eq!(FUNCTIONS.map(|function| function.name.to_owned()).into_iter().collect::<BTreeSet<_>>(), folders);
    for function in FUNCTIONS {
        let events: BTreeSet<&str> = function.operations().filter_map(|operation| operation.event).collect();
        let sent: BTreeSet<&str> = template.functions[function.name].events.iter().map(String::as_str).collect();
        assert_eq!(events, sent, "the events that {} takes are those the template sends it", function.name);
        let takes_schedule = function.operations().any(|operation| operation.scheduled);
        let has_schedule = template.functions[function.name].is_scheduled();
        assert_eq!(takes_schedule, has_schedule, "{} is called by the clock if it can be", function.name);
    }
    let addresses = fs::read_to_string(root().join("infra/ctl/src/addresses.rs")).unwrap();
    for function in &folders {
        assert!(addresses.contains(&format!("\"{function}\",")), "ctl has no address for {function}");
    }
}

#[test]
fn the_visible_root_holds_the_house_and_nothing_else() {
    let rooms = [
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "functions",
        "infra",
        "samconfig.toml",
        "shared",
        "tests",
    ];
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let visible: BTreeSet<String> = entries.filter(|name| !name.starts_with('.') && name != "target").collect();
    assert_eq!(visible, rooms.map(str::to_owned).into());
}

/// The documents of the project.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ours = entries.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        !name.starts_with('.') && name != "target"
    });
    ours.flat_map(|path| if path.is_dir() { documents(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

#[test]
fn every_make_target_that_a_document_names_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(names, _)| names.split(' '))
        .collect();
    let mut named = 0;
    for document in documents(&root()) {
        let text = fs::read_to_string(&document).unwrap();
        for after in text.split("`make ").skip(1) {
            let words = after.split('`').next().unwrap().split_whitespace();
            for target in words.take_while(|word| word.chars().all(|char| char.is_ascii_lowercase() || char == '-')) {
                assert!(targets.contains(target), "{}: make {target}", document.display());
                named += 1;
            }
        }
    }
    assert!(named > 20, "only {named}");
}

#[test]
fn files_stay_short_enough_to_be_read() {
    for folder in ["shared", "functions", "infra"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn what_stands_in_a_group_or_behind_a_path_counts_as_imported() {
    let code = "use crate::{\n    domain::{a, b},\n    store::{self, Key},\n};\nlet x = crate::clock::now();\nuse crate::auth;";
    let expected = ["auth", "clock", "domain", "store"].map(str::to_owned);
    assert_eq!(names_after(code, "crate::"), expected.into());
}
