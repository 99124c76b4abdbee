//! The types of a page of a list, including rows for items that cannot be read. An unreadable item never fails a list.

use super::{
    attributes::{Item, text_attribute},
    error::StoreError,
};
use crate::error::{InternalError, chain};

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<Row<T>>,
    /// The position at which the next page starts. `None` on the last page.
    pub next: Option<String>,
}

/// A value in a list, and the position after it.
#[derive(Debug)]
pub struct Row<T> {
    /// The value.
    pub value: T,
    /// The position after the value. A list that ends at this row can be continued there.
    pub position: String,
}

/// A listed value with its id, which is known even if the item cannot be read.
#[derive(Debug, Clone)]
pub struct Listed<Id, T> {
    /// The id of the value.
    pub id: Id,
    /// The value as the list has it, or the reason why the item cannot be read.
    pub image: Result<T, InternalError>,
}

impl<Id, T> Listed<Id, T> {
    pub(super) fn new(id: Id, read: Result<T, StoreError>) -> Self {
        Self { id, image: read.map_err(StoreError::into_internal) }
    }
}

/// A row of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryRow<T> {
    /// The recorded value.
    Read(T),
    /// A record that this release cannot read.
    Unread(Unread),
}

/// The readable part of a record that this release cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The kind that the record names.
    pub kind: String,
    /// The time that the record names, as it is stored.
    pub at: String,
    /// Whether a newer release seems to have written the record. Otherwise the record is damaged.
    pub is_newer: bool,
}

impl Unread {
    /// Describes an unreadable item. `newer_kind` is the kind that a newer release wrote, if only the kind is unknown.
    /// Without `newer_kind`, the item is damaged, and `record` is its kind. The time is in the attribute
    /// `time_attribute`, or in the item's index key.
    pub(super) fn new(item: &Item, newer_kind: Option<String>, record: &str, time_attribute: &str) -> Self {
        let times = [time_attribute, "at"].into_iter().map(|name| text_attribute(item, name));
        let at = times.into_iter().find(|at| !at.is_empty()).unwrap_or_default();
        let is_newer = newer_kind.is_some();
        Self { kind: newer_kind.unwrap_or_else(|| record.to_owned()), at: at.to_owned(), is_newer }
    }
}

impl<T> HistoryRow<T> {
    /// The row of an item that was read. If the read failed, logs the error and lists the result of `unread`.
    pub(super) fn from_read(read: Result<T, StoreError>, unread: impl FnOnce() -> Unread) -> Self {
        match read {
            Ok(value) => Self::Read(value),
            Err(error) => {
                let unread = unread();
                let Unread { kind, is_newer, .. } = &unread;
                if *is_newer {
                    tracing::warn!(
                        kind,
                        error = chain(&error),
                        "a record of a newer version is listed by its kind alone"
                    );
                } else {
                    tracing::error!(
                        kind,
                        error = chain(&error),
                        "a record cannot be read and is listed by its kind alone"
                    );
                }
                Self::Unread(unread)
            }
        }
    }

    /// Converts the recorded value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> HistoryRow<U> {
        match self {
            Self::Read(value) => HistoryRow::Read(convert(value)),
            Self::Unread(unread) => HistoryRow::Unread(unread),
        }
    }
}

/// The value of an item that was read. If the read failed, logs the error and returns `None`.
pub(super) fn skip_unreadable<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(error = chain(error), "passed over")).ok()
}
