//! The API documents, made from the declarations of the operations.
//!
//! | to find | look in |
//! |---|---|
//! | the addresses of the functions on the local stack | [`address`] |
//! | what each operation declares, with its schemas | [`contract`] |
//! | the OpenAPI document of a function, and of all functions | [`openapi`] |
//! | answers and problems by status | [`responses`] |
//! | the AsyncAPI document of the events in and out | [`asyncapi`] |
//! | example values and `curl` lines | [`samples`] |
//! | the collection for Postman and Bruno | [`collection`] |
//! | changes of generated schemas | [`schemas`] |
//! | the tables in the documents beside the functions | [`readme`] |

pub mod address;
pub mod asyncapi;
pub mod collection;
pub mod contract;
pub mod openapi;
pub mod readme;
pub mod responses;
pub mod samples;
pub mod schemas;

use contract::Contract;
use serde_json::Value;

/// A generated file: its path in the repository, and its content.
pub type GeneratedFile = (String, String);

/// Every generated file.
///
/// # Panics
///
/// A document that is generated in part is missing, or lacks a marker.
#[must_use]
#[expect(clippy::panic, reason = "without its markers, a document cannot be generated")]
pub fn files() -> Vec<GeneratedFile> {
    let contract = Contract::collect();
    let of_functions = contract.functions.iter().map(|function| {
        (format!("functions/{}/openapi.json", function.name), compact(&openapi::of_function(function)))
    });
    let of_all = [
        ("docs/openapi.json".to_owned(), pretty(&openapi::of_all(&contract))),
        ("docs/asyncapi.json".to_owned(), pretty(&asyncapi::document(&contract))),
        ("docs/regulars.postman_collection.json".to_owned(), pretty(&collection::postman(&contract))),
    ];
    let in_part = readme::documents(&contract).unwrap_or_else(|error| panic!("{error:#}"));
    of_functions.chain(of_all).chain(in_part).collect()
}

/// Every function serves its document, so the document has no spaces.
fn compact(document: &Value) -> String {
    format!("{document}\n")
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}
