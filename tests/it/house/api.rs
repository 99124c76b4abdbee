//! The API documents in the repository are those that the declarations make.

use std::collections::BTreeSet;

use api::contract::Contract;

use super::source::{function_folders, text};

#[test]
fn every_generated_document_is_current() {
    for (path, content) in api::files() {
        assert!(text(&path) == content, "{path} is stale: run `make api`");
    }
}

#[test]
fn the_documents_cover_every_function_and_every_operation() {
    let contract = Contract::collect();
    let documented: BTreeSet<String> = contract.functions.iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(documented, function_folders());
    for function in local::FUNCTIONS {
        let documented = contract.operations().filter(|operation| operation.function == function.name);
        let documented: Vec<_> = documented.map(|operation| operation.operation).collect();
        assert_eq!(documented, function.operations().copied().collect::<Vec<_>>(), "{}", function.name);
        assert_eq!(function.document, text(&format!("functions/{}/openapi.json", function.name)));
    }
}

#[test]
fn no_two_schemas_of_the_documents_have_one_name() {
    let contract = Contract::collect();
    let names: BTreeSet<&String> = contract.functions.iter().flat_map(|function| function.schemas.keys()).collect();
    // The generator numbers a name that is taken.
    let numbered: Vec<_> = names.iter().filter(|name| name.ends_with(|last: char| last.is_ascii_digit())).collect();
    assert!(numbered.is_empty(), "{numbered:?}");
}
