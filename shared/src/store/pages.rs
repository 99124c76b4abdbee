//! Queries for a page of a list, and the positions at which lists continue.
//!
//! A page may be shorter than its limit, or empty. Only a page without a next position is the last one.

use std::fmt::Display;

use aws_sdk_dynamodb::operation::query::{QueryOutput, builders::QueryFluentBuilder};

use super::{
    attributes::{Item, text, text_attribute},
    error::StoreError,
    keys::{self, IndexKey, Key},
    rows::{Page, Row, skip_unreadable},
    table::Store,
};

/// The index that holds every list.
const INDEX: &str = "by_time";

/// A list within a partition: the items whose sort keys begin with a prefix, in the order of their sort keys.
pub(super) struct PartitionList {
    pub(super) pk: String,
    pub(super) sk_prefix: &'static str,
    pub(super) is_newest_first: bool,
    pub(super) position: PositionForm,
}

/// The form of a position in a list within a partition.
pub(super) enum PositionForm {
    /// The sort key.
    SortKey,
    /// The id that follows the prefix in the sort key. The function checks an id.
    Id(fn(&str) -> bool),
}

/// Whether a text is an id of the type `Id`.
pub(super) fn is_id<Id: TryFrom<String>>(text: &str) -> bool {
    Id::try_from(text.to_owned()).is_ok()
}

impl PartitionList {
    /// The history of a partition, newest first.
    pub(super) const fn history(pk: String, sk_prefix: &'static str) -> Self {
        Self { pk, sk_prefix, is_newest_first: true, position: PositionForm::SortKey }
    }

    /// The items of a partition in the order of their ids.
    pub(super) const fn by_id<Id: TryFrom<String>>(pk: String, sk_prefix: &'static str) -> Self {
        Self { pk, sk_prefix, is_newest_first: false, position: PositionForm::Id(is_id::<Id>) }
    }

    fn key_at(&self, position: &str) -> Result<Key, StoreError> {
        let sk = match self.position {
            PositionForm::SortKey => Some(position.to_owned())
                .filter(|sk| sk.starts_with(self.sk_prefix) && sk.len() <= keys::SORT_KEY_BYTES_MAX),
            PositionForm::Id(is_id) => is_id(position).then(|| format!("{}{position}", self.sk_prefix)),
        };
        Ok(Key { pk: self.pk.clone(), sk: sk.ok_or(StoreError::InvalidPosition)? })
    }

    fn position_of(&self, item: &Item) -> String {
        let sk = text_attribute(item, "sk");
        match self.position {
            PositionForm::SortKey => sk.to_owned(),
            PositionForm::Id(_) => sk.strip_prefix(self.sk_prefix).unwrap_or(sk).to_owned(),
        }
    }
}

impl Store {
    /// A query for `limit` items.
    pub(super) fn query(&self, limit: usize) -> QueryFluentBuilder {
        self.client.query().table_name(self.table.as_ref()).limit(i32::try_from(limit).unwrap_or(i32::MAX))
    }

    /// A query for the items of a partition whose sort keys begin with `sk_prefix`.
    pub(super) fn query_partition(&self, pk: &str, sk_prefix: &str, limit: usize) -> QueryFluentBuilder {
        self.query(limit)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":sk", text(sk_prefix))
    }

    /// A query for a list of the index.
    pub(super) fn query_index(&self, index_pk: &str, limit: usize) -> QueryFluentBuilder {
        self.query(limit)
            .index_name(INDEX)
            .key_condition_expression("#list = :list")
            .expression_attribute_names("#list", "list")
            .expression_attribute_values(":list", text(index_pk))
    }

    /// A query for the part of a list of the index whose sort keys are at least `from`.
    pub(super) fn query_index_from(&self, index_pk: &str, from: &str, limit: usize) -> QueryFluentBuilder {
        self.query_index(index_pk, limit)
            .key_condition_expression("#list = :list AND #at >= :from")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":from", text(from))
    }

    /// A consistent page of a list within a partition.
    pub(super) async fn partition_page<T>(
        &self,
        list: &PartitionList,
        after: Option<&str>,
        limit: usize,
        read: impl Fn(Item) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let start = after.map(|position| list.key_at(position)).transpose()?;
        let query = self.query_partition(&list.pk, list.sk_prefix, limit).consistent_read(true);
        let query = query.set_scan_index_forward(list.is_newest_first.then_some(false));
        fetch_page(query.set_exclusive_start_key(start.map(|key| key.to_item())), |item| {
            let position = list.position_of(&item);
            Ok(Row { value: read(item)?, position })
        })
        .await
    }

    /// Reads all items of a partition whose sort keys begin with `sk_prefix`. Items for which `read` returns `None` are
    /// left out.
    pub(super) async fn read_partition<T>(
        &self,
        pk: &str,
        sk_prefix: &str,
        read: impl Fn(Item) -> Result<Option<T>, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        const PAGE_SIZE: usize = 100;
        let mut values = Vec::new();
        let mut start = None;
        loop {
            let query = self.query_partition(pk, sk_prefix, PAGE_SIZE).consistent_read(true);
            let response = query.set_exclusive_start_key(start).send().await?;
            for item in response.items.unwrap_or_default() {
                values.extend(read(item)?);
            }
            start = response.last_evaluated_key;
            if start.is_none() {
                return Ok(values);
            }
        }
    }

    /// A page of a list of the index whose items are in many partitions, oldest first. With `from`, only the items
    /// whose sort key in the index is at least `from`. The value of an unreadable item is `None`.
    pub(super) async fn index_page<T>(
        &self,
        index_pk: &str,
        from: Option<&str>,
        after: Option<&str>,
        limit: usize,
        read: impl Fn(Item) -> Result<T, StoreError>,
    ) -> Result<Page<Option<T>>, StoreError> {
        let query = match from {
            Some(from) => self.query_index_from(index_pk, from, limit),
            None => self.query_index(index_pk, limit),
        };
        page_of_index(query, index_pk, after, |at| from.is_none_or(|from| at >= from), read).await
    }

    /// A page of the part of a list of the index whose sort keys begin with `prefix`. The value of an unreadable item is
    /// `None`.
    pub(super) async fn index_page_beginning<T>(
        &self,
        index_pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        read: impl Fn(Item) -> Result<T, StoreError>,
    ) -> Result<Page<Option<T>>, StoreError> {
        let query = self
            .query_index(index_pk, limit)
            .key_condition_expression("#list = :list AND begins_with(#at, :prefix)")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":prefix", text(prefix));
        page_of_index(query, index_pk, after, |at| at.starts_with(prefix), read).await
    }
}

/// A page of a list of the index whose items are in many partitions. `is_listed` is whether an item with a sort key is in the
/// queried part of the list. `DynamoDB` rejects a start outside of it.
async fn page_of_index<T>(
    query: QueryFluentBuilder,
    index_pk: &str,
    after: Option<&str>,
    is_listed: impl Fn(&str) -> bool,
    read: impl Fn(Item) -> Result<T, StoreError>,
) -> Result<Page<Option<T>>, StoreError> {
    let start = after.map(|position| {
        let [pk, sk, at] = serde_json::from_str::<[String; 3]>(position).map_err(|_| StoreError::InvalidPosition)?;
        if pk.is_empty() || sk.is_empty() || at.is_empty() || !is_listed(&at) {
            return Err(StoreError::InvalidPosition);
        }
        let index_key = IndexKey { index_pk: index_pk.to_owned(), index_sk: at };
        Ok::<_, StoreError>(start_after(&Key { pk, sk }, &index_key))
    });
    fetch_page(query.set_exclusive_start_key(start.transpose()?), |item| {
        let position = ["pk", "sk", "at"].map(|name| text_attribute(&item, name));
        let position = serde_json::json!(position).to_string();
        Ok(Row { value: skip_unreadable(read(item)), position })
    })
    .await
}

/// The start key of a query of the index that continues after an item.
pub(super) fn start_after(key: &Key, index_key: &IndexKey) -> Item {
    let mut start = key.to_item();
    start.extend([("list".into(), text(&index_key.index_pk)), ("at".into(), text(&index_key.index_sk))]);
    start
}

/// The position of an item in a list of the index: its sort key there, and the id that gives its key.
pub(super) fn index_position(item: &Item, id: impl Display) -> String {
    format!("{}#{id}", text_attribute(item, "at"))
}

/// The sort key and the id of a position that [`index_position`] returned.
pub(super) fn parse_index_position<Id: TryFrom<String>>(position: &str) -> Result<(&str, Id), StoreError> {
    let (index_sk, id) = position.split_once('#').ok_or(StoreError::InvalidPosition)?;
    let id = Id::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
    Ok((index_sk, id))
}

/// Repeats a query until it returns an item or its end. `DynamoDB` may return an empty page before the end.
pub(super) async fn query_until_found(query: QueryFluentBuilder) -> Result<QueryOutput, StoreError> {
    let mut response = query.clone().send().await?;
    while response.count == 0 && response.last_evaluated_key.is_some() {
        response = query.clone().set_exclusive_start_key(response.last_evaluated_key).send().await?;
    }
    Ok(response)
}

/// The page that a query returns. `read` returns the value and the position of an item.
pub(super) async fn fetch_page<T>(
    query: QueryFluentBuilder,
    read: impl Fn(Item) -> Result<Row<T>, StoreError>,
) -> Result<Page<T>, StoreError> {
    let response = query_until_found(query).await?;
    let continues = response.last_evaluated_key.is_some();
    let rows: Vec<_> = response.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
    let next = rows.last().filter(|_| continues).map(|row| row.position.clone());
    Ok(Page { rows, next })
}
