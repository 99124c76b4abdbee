//! The rules do no I/O, read no clock, and use few libraries.

use harness::root;

use super::source::{code, quoted, rust_files, table};

/// The libraries that the rules may import: everywhere, in `domain::churn`, in `domain::contact`, and in
/// `domain::zone`.
fn allowed_libraries() -> [Vec<String>; 4] {
    let rows = table("shared/src/lib.rs", "room | what it is | may import |");
    let cell = rows.iter().find(|row| row[0] == "[`domain`]").unwrap()[2].clone();
    let [everywhere, in_churn, in_contact, in_zone]: [&str; 4] =
        cell.split("; ").collect::<Vec<_>>().try_into().unwrap();
    let within = |part: &str, module: &str| {
        let mut names = quoted(part);
        assert_eq!(names.remove(0), module);
        names
    };
    [
        quoted(everywhere),
        within(in_churn, "domain::churn"),
        within(in_contact, "domain::contact"),
        within(in_zone, "domain::zone"),
    ]
}

#[test]
fn the_rules_use_only_the_libraries_of_the_table_and_perform_no_io() {
    let [everywhere, in_churn, in_contact, in_zone] = allowed_libraries();
    let domain = root().join("shared/src/domain");
    for file in rust_files(&domain) {
        let code = code(&file);
        let is_churn = file.starts_with(domain.join("churn"));
        let is_contact = file == domain.join("contact.rs");
        let is_zone = file == domain.join("zone.rs");
        let is_allowed = |name: &str| {
            let is_in = |libraries: &[String]| libraries.iter().any(|library| library == name);
            ["std", "crate", "super", "self"].contains(&name)
                || is_in(&everywhere)
                || (is_churn && is_in(&in_churn))
                || (is_contact && is_in(&in_contact))
                || (is_zone && is_in(&in_zone))
        };
        for line in code.lines().map(str::trim_start) {
            let import = line.strip_prefix("use ").or_else(|| line.strip_prefix("pub use "));
            let name = import.and_then(|import| import.split([':', ';', ' ']).next());
            let is_own_module =
                |name| domain.join(format!("{name}.rs")).exists() || file.with_file_name(format!("{name}.rs")).exists();
            assert!(name.is_none_or(|name| is_allowed(name) || is_own_module(name)), "{}: {line}", file.display());
        }
        for (libraries, is_room) in [(&in_churn, is_churn), (&in_zone, is_zone)] {
            let found = libraries.iter().find(|library| !is_room && code.contains(&format!("{library}::")));
            assert_eq!(found, None, "{}", file.display());
        }
        for forbidden in
            ["async", "std::env", "std::fs", "std::io", "std::net", "std::thread", "std::process", "::now()", "Instant"]
        {
            assert!(!code.contains(forbidden), "{} has {forbidden}", file.display());
        }
    }
}
