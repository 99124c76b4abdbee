//! No file imports a file that imports it back.

use std::path::PathBuf;

use harness::root;

use super::{
    modules::{Modules, circles},
    source::function_folders,
};

/// The sources of every crate.
fn crates() -> Vec<PathBuf> {
    let functions = function_folders().into_iter().map(|function| format!("functions/{function}/src"));
    let others = [
        "shared/src",
        "shared/declare/src",
        "infra/api/src",
        "infra/client/src",
        "infra/local/src",
        "infra/ctl/src",
        "infra/ops/src",
        "tests/harness",
    ];
    functions.chain(others.map(str::to_owned)).map(|folder| root().join(folder)).collect()
}

#[test]
fn files_of_a_crate_have_no_import_cycles() {
    let (mut edges, mut found) = (0, Vec::new());
    for folder in crates() {
        let modules = Modules::read(&folder);
        let imports = modules.imports();
        edges += imports.values().map(std::collections::BTreeSet::len).sum::<usize>();
        for circle in circles(&imports) {
            found.push(circle.iter().map(|module| modules.file(module).to_owned()).collect::<Vec<_>>());
        }
    }
    assert!(found.is_empty(), "these files import each other: {found:#?}");
    assert!(edges > 500, "only {edges} imports were found");
}

/// A crate of these files, in a folder of its own.
fn crate_with(files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("regulars-modules-{:016x}", fastrand::u64(..)));
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

#[test]
fn an_import_cycle_is_found_through_groups_paths_parents_and_re_exports() {
    let leaf = "pub struct Leaf;";
    for (files, has_circle) in [
        (vec![("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::{a::A};")], true),
        (vec![("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "fn f() -> crate::a::A {}")], true),
        (vec![("lib.rs", "mod a;\nuse a::A;\npub struct L;"), ("a.rs", "use super::L;")], true),
        (vec![("lib.rs", "mod a;\npub use a::A;\npub struct L;"), ("a.rs", "use super::L;")], false),
        (
            vec![
                ("lib.rs", "mod m;"),
                ("m/mod.rs", "mod a;\nmod b;\npub use b::B;"),
                ("m/a.rs", "use super::B;"),
                ("m/b.rs", "use super::a::A;"),
            ],
            true,
        ),
        (vec![("lib.rs", "mod a;\nmod b;"), ("a.rs", "use crate::b::B; // crate::c"), ("b.rs", leaf)], false),
    ] {
        let folder = crate_with(&files);
        let found = circles(&Modules::read(&folder).imports());
        assert_eq!(!found.is_empty(), has_circle, "{files:?}: {found:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
