//! Rows of a history in an answer, including rows of records that this release cannot read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::{HistoryRow, Unread};

/// A row of a history: a record, or the kind of a record that this release cannot read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "{V}OrUnread")]
pub enum RecordedRow<V> {
    /// The record.
    Read(V),
    /// A record that this release cannot read.
    Unread(UnreadRecord),
}

/// A record that this release cannot read.
#[declare::answer]
pub struct UnreadRecord {
    /// The kind that the record names.
    pub kind: String,
    /// The time that the record names, as it is stored. May be empty.
    pub at: String,
    /// Why the record cannot be read.
    pub error: UnreadReason,
}

/// Why a record cannot be read.
#[declare::answer]
pub enum UnreadReason {
    /// A newer release wrote the record.
    UnknownKind,
    /// The record is damaged.
    Internal,
}

impl<T, V: From<T>> From<HistoryRow<T>> for RecordedRow<V> {
    fn from(row: HistoryRow<T>) -> Self {
        match row {
            HistoryRow::Read(record) => Self::Read(record.into()),
            HistoryRow::Unread(Unread { kind, at, is_newer }) => {
                let error = if is_newer { UnreadReason::UnknownKind } else { UnreadReason::Internal };
                Self::Unread(UnreadRecord { kind, at, error })
            }
        }
    }
}
