//! JSON Schemas of the values in requests and answers, for the API documents.
//!
//! The attributes of the crate `declare` derive the schema of each request and answer. This room gives the schemas of
//! the values in them. Only the generator of the documents and the tests ask for schemas, so no function links them.
//!
//! A value may have two schemas. The schema of the contract [`schemars::generate::Contract::Deserialize`] says what a
//! request may contain, and the schema of the contract `Serialize` what an answer contains. The key [`RULE`] of a
//! request's schema holds the text of the error message, which the generator adds to the description of the field.

mod contract;
pub(crate) mod values;

pub use contract::{Instant, RULE, is_request};
pub use schemars;
