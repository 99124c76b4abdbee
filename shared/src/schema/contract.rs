//! What a schema describes: a request or an answer.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::Contract, json_schema};

/// The key of a schema that holds the rule of the value as a text.
pub const RULE: &str = "x-rule";

/// An instant in an answer.
pub struct Instant;

impl JsonSchema for Instant {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
            "examples": ["2026-12-24T18:30:00.000Z"],
        })
    }
}

/// Whether the schema describes a request.
#[must_use]
pub fn is_request(generator: &SchemaGenerator) -> bool {
    matches!(generator.contract(), Contract::Deserialize)
}
