//! What the root of the repository holds, and how long a file may be.

use std::{collections::BTreeSet, fs};

use harness::root;

use super::source::{code, rust_files};

#[test]
fn the_visible_root_holds_the_known_files_and_folders() {
    let known = [
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "docs",
        "functions",
        "infra",
        "samconfig.toml",
        "shared",
        "tests",
    ];
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let visible: BTreeSet<String> = entries.filter(|name| !name.starts_with('.') && name != "target").collect();
    assert_eq!(visible, known.map(str::to_owned).into());
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["shared", "functions", "infra", "tests"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn a_mod_rs_contains_only_declarations_documentation_and_re_exports() {
    let mut found = Vec::new();
    for folder in ["shared/src", "functions", "infra", "tests/it", "tests/harness"] {
        for file in rust_files(&root().join(folder)).into_iter().filter(|file| file.ends_with("mod.rs")) {
            let code = code(&file);
            let definition = code.lines().find(|line| {
                let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
                ["fn ", "async fn ", "const fn ", "struct ", "enum ", "impl", "trait "]
                    .iter()
                    .any(|keyword| line.starts_with(keyword))
            });
            found.extend(definition.map(|line| format!("{}: {line}", file.display())));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
