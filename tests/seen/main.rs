//! What the tests have seen of the API documents. Cargo runs this target after the tests themselves.

use harness::contract::seen;

#[test]
fn every_operation_outcome_code_and_field_of_the_api_documents_is_seen_by_a_test() {
    let Some(recorded) = seen::recorded() else {
        // `make test` sets the variable. Without it, this target may have been run by itself.
        assert!(std::env::var_os("REGULARS_SEEN").is_none(), "the tests themselves left no {}", seen::file().display());
        println!("not checked: the tests themselves did not run before");
        return;
    };
    let documented = seen::documented();
    let unseen: Vec<_> = documented.difference(&recorded).collect();
    assert!(unseen.is_empty(), "no test has seen {}: {unseen:#?}", unseen.len());
    assert!(documented.len() > 300, "only {}", documented.len());
    std::fs::remove_file(seen::file()).unwrap();
}
