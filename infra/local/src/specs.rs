//! Specifications of the table and the functions, as the template declares them.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;
use shared::host::Cors;

use crate::schedules::Schedule;

/// The table.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// The name of the table.
    pub name: String,
    /// The key attributes and their types.
    pub attributes: Vec<AttributeSpec>,
    /// The primary key.
    pub key: Vec<KeyPartSpec>,
    /// The global secondary indexes.
    pub indexes: Vec<IndexSpec>,
    /// The time to live of items, if the table has one.
    pub expiry: Option<ExpirySpec>,
}

/// The time to live of items.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ExpirySpec {
    /// The attribute with an item's expiry, in seconds since 1970.
    pub attribute_name: String,
    /// Whether expired items are removed.
    pub enabled: bool,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// The longest duration of one call.
    pub timeout: Duration,
    /// The environment variables.
    pub environment: HashMap<String, String>,
    /// The `detail-type`s of the events that call the function.
    pub events: Vec<String>,
    /// The web pages that may call the function's URL. `None` if no page may.
    pub cors: Option<Cors>,
    /// The schedules that call the function once.
    pub schedules: Vec<Schedule>,
    /// The schedules of the state machine that calls the function until it returns no cursor.
    pub sweeps: Vec<Schedule>,
}

impl FunctionSpec {
    /// Whether any schedule calls the function.
    #[must_use]
    pub const fn is_scheduled(&self) -> bool {
        !(self.schedules.is_empty() && self.sweeps.is_empty())
    }
}

/// A key attribute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct AttributeSpec {
    /// The name of the attribute.
    pub attribute_name: String,
    /// The type: `S`, `N` or `B`.
    pub attribute_type: String,
}

/// One part of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct KeyPartSpec {
    /// The name of the attribute.
    pub attribute_name: String,
    /// The role: `HASH` or `RANGE`.
    pub key_type: String,
}

/// A global secondary index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct IndexSpec {
    /// The name of the index.
    pub index_name: String,
    /// The key of the index.
    pub key_schema: Vec<KeyPartSpec>,
    /// The attributes that the index holds.
    pub projection: ProjectionSpec,
}

/// The attributes that an index holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ProjectionSpec {
    /// The type: `ALL` or `KEYS_ONLY`.
    pub projection_type: String,
}
