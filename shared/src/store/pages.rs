//! Pages of a list. A page may be shorter than asked, or empty, and is the last only without a next position.

use aws_sdk_dynamodb::operation::query::{QueryOutput, builders::QueryFluentBuilder};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    BY_TIME, Item, Store, StoreError,
    keys::{IndexKey, Key, text},
};

use crate::error::{InternalError, chain};

/// An item's attribute that is a text, empty where there is none.
pub(super) fn part<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// Some of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// In the list's order.
    pub rows: Vec<Row<T>>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// One thing listed, and the position just after it.
#[derive(Debug)]
pub struct Row<T> {
    /// The thing.
    pub value: T,
    /// The position after it: where a list that stops here goes on.
    pub position: String,
}

/// One of a list in which one that can't be read holds up no other.
#[derive(Debug, Clone)]
pub struct Listed<Id, T> {
    /// Which.
    pub id: Id,
    /// The value, or why the item cannot be read.
    pub image: Result<T, InternalError>,
}

impl<Id, T> Listed<Id, T> {
    pub(super) fn new(id: Id, read: Result<T, StoreError>) -> Self {
        Self { id, image: read.map_err(StoreError::into_internal) }
    }
}

/// One row of a history, in which one that this version can't read holds up no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryRow<T> {
    /// What is recorded.
    Read(T),
    /// A record that this version can't read.
    Unread(Unread),
}

/// What is known of a record that this version can't read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What kind of record it says it is.
    pub kind: String,
    /// When it was made, as it says.
    pub at: String,
    /// Whether a newer version wrote it, as far as can be told: else it is damaged.
    pub is_newer: bool,
}

impl<T> HistoryRow<T> {
    /// What was read of an item; `unread` says what is known of one that could not be.
    pub(super) fn of(read: Result<T, StoreError>, unread: impl FnOnce() -> Unread) -> Self {
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
                        "a record can't be read and is listed by its kind alone"
                    );
                }
                Self::Unread(unread)
            }
        }
    }

    /// The row with what is recorded in another form.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> HistoryRow<U> {
        match self {
            Self::Read(value) => HistoryRow::Read(form(value)),
            Self::Unread(unread) => HistoryRow::Unread(unread),
        }
    }
}

/// In answers an unread record is `{kind, at, error}`.
impl<T: Serialize> Serialize for HistoryRow<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(value) => value.serialize(serializer),
            Self::Unread(Unread { kind, at, is_newer }) => {
                let mut fields = serializer.serialize_map(Some(3))?;
                fields.serialize_entry("kind", kind)?;
                fields.serialize_entry("at", at)?;
                fields.serialize_entry("error", if *is_newer { "unknown_kind" } else { "internal" })?;
                fields.end()
            }
        }
    }
}

impl Store {
    /// A query of a list in the index.
    pub(super) fn query_index(&self, list: &str, limit: usize) -> QueryFluentBuilder {
        self.query(limit)
            .index_name(BY_TIME)
            .key_condition_expression("#list = :list")
            .expression_attribute_names("#list", "list")
            .expression_attribute_values(":list", text(list))
    }

    /// A page of a list in which items of many partitions stand, in its order, from a place in it on or whole. One that can't
    /// be read is not in it, and logged.
    pub(super) async fn listed<T>(
        &self,
        list: &str,
        from: Option<&str>,
        after: Option<&str>,
        limit: usize,
        read: impl Fn(Item) -> Result<T, StoreError>,
    ) -> Result<Page<Option<T>>, StoreError> {
        let start = after.map(|position| {
            let [pk, sk, at] =
                serde_json::from_str::<[String; 3]>(position).map_err(|_| StoreError::InvalidPosition)?;
            Ok::<_, StoreError>(start_after(&Key { pk, sk }, &IndexKey { index_pk: list.to_owned(), index_sk: at }))
        });
        let mut query = self.query_index(list, limit);
        if let Some(from) = from {
            query = query
                .key_condition_expression("#list = :list AND #at >= :from")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":from", text(from));
        }
        page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let position = serde_json::json!(["pk", "sk", "at"].map(|name| part(&item, name))).to_string();
            Ok(Row { value: skip_unreadable(read(item)), position })
        })
        .await
    }

    /// A query of the items of a partition whose sort keys begin so.
    pub(super) fn query_partition(&self, pk: &str, sk_prefix: &str, limit: usize) -> QueryFluentBuilder {
        self.query(limit)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":sk", text(sk_prefix))
    }

    /// A query, `limit` items a page.
    pub(super) fn query(&self, limit: usize) -> QueryFluentBuilder {
        self.client.query().table_name(self.table.as_ref()).limit(i32::try_from(limit).unwrap_or(i32::MAX))
    }
}

/// What can't be read is logged, and holds up nothing else.
pub(super) fn skip_unreadable<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(error = chain(error), "passed over")).ok()
}

/// The start key for a position in the index.
pub(super) fn start_after(key: &Key, index_key: &IndexKey) -> Item {
    let mut start = key.to_item();
    start.extend([("list".into(), text(&index_key.index_pk)), ("at".into(), text(&index_key.index_sk))]);
    start
}

/// Asks until something is found or the list ends: an empty answer may have more behind it.
pub(super) async fn ask(query: QueryFluentBuilder) -> Result<QueryOutput, StoreError> {
    let mut answer = query.clone().send().await?;
    while answer.count == 0 && answer.last_evaluated_key.is_some() {
        answer = query.clone().set_exclusive_start_key(answer.last_evaluated_key).send().await?;
    }
    Ok(answer)
}

/// A page of what a query finds: `read` gives each item's value and position.
pub(super) async fn page<T>(
    query: QueryFluentBuilder,
    read: impl Fn(Item) -> Result<Row<T>, StoreError>,
) -> Result<Page<T>, StoreError> {
    let answer = ask(query).await?;
    let goes_on = answer.last_evaluated_key.is_some();
    let rows: Vec<_> = answer.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
    let next = rows.last().filter(|_| goes_on).map(|row| row.position.clone());
    Ok(Page { rows, next })
}
