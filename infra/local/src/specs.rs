//! The table and the functions, as the template declares them.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;

use crate::schedules::Schedule;

/// A table, with what its engine needs to know.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Its name.
    pub name: String,
    /// Key attributes and their types.
    pub attributes: Vec<AttributeSpec>,
    /// Its primary key.
    pub key: Vec<KeyPartSpec>,
    /// Its indexes.
    pub indexes: Vec<IndexSpec>,
    /// The attribute that says when an item may go, if one does.
    pub expiry: Option<ExpirySpec>,
}

/// When an item may go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ExpirySpec {
    /// The attribute that says so, in seconds since 1970.
    pub attribute_name: String,
    /// Whether it is looked at.
    pub enabled: bool,
}

/// A function, with what its host needs to know.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// How long a call may take.
    pub timeout: Duration,
    /// Its environment.
    pub environment: HashMap<String, String>,
    /// The `detail-type`s of the events it is called with.
    pub events: Vec<String>,
    /// When it is called by the clock, once.
    pub schedules: Vec<Schedule>,
    /// When a state machine is started by the clock that calls it until it is done.
    pub sweeps: Vec<Schedule>,
}

impl FunctionSpec {
    /// Whether the clock calls it, once or until it is done.
    #[must_use]
    pub const fn is_scheduled(&self) -> bool {
        !(self.schedules.is_empty() && self.sweeps.is_empty())
    }
}

/// An attribute of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct AttributeSpec {
    /// Its name.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// A part of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct KeyPartSpec {
    /// Its attribute.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// An index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct IndexSpec {
    /// Its name.
    pub index_name: String,
    /// Its key.
    pub key_schema: Vec<KeyPartSpec>,
    /// What it holds.
    pub projection: ProjectionSpec,
}

/// What an index holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct ProjectionSpec {
    /// `ALL` or `KEYS_ONLY`.
    pub projection_type: String,
}
