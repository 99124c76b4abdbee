//! Lists of the back office, read page by page.

use back_office::{
    activity::ListActivity,
    bundle_lists::{ListBundles, ListTransitions},
    customer_list::ListCustomers,
    pages::ListRow,
};
use chrono::{DateTime, Utc};
use client::{Call, value};
use shared::{
    host::{InFunction, ListOperation, RecordedRow},
    inbound::{cursor::Cursor, fields::PageSize},
};

use crate::api::Api;

/// Rows of a page, the most that the back office returns.
const PAGE_ROWS: u32 = 100;

/// A list that is read page by page.
pub(crate) trait PagedList: ListOperation + InFunction {
    /// The name of the rows in messages.
    const ROWS: &'static str;

    /// Sets the page of a request.
    fn set_page(request: &mut Self::Request, limit: PageSize, cursor: Option<Cursor>);

    /// The rows of a page, and the cursor if the list continues.
    fn into_rows(page: Self::Answer) -> (Vec<Self::Row>, Option<String>);
}

macro_rules! paged_list {
    ($($operation:ty: $rows:ident),+ $(,)?) => {$(
        impl PagedList for $operation {
            const ROWS: &'static str = stringify!($rows);

            fn set_page(request: &mut Self::Request, limit: PageSize, cursor: Option<Cursor>) {
                (request.limit, request.cursor) = (limit, cursor);
            }

            fn into_rows(page: Self::Answer) -> (Vec<Self::Row>, Option<String>) {
                (page.$rows, page.cursor)
            }
        }
    )+};
}

paged_list!(ListCustomers: customers, ListBundles: bundles, ListTransitions: transitions, ListActivity: entries);

/// The pages of a list.
pub(crate) struct Pages<O: PagedList> {
    request: O::Request,
    now: Option<DateTime<Utc>>,
}

impl<O: PagedList> Pages<O> {
    /// The pages of the list that the request filters, from its start. The page of the request has no effect.
    pub(crate) const fn of(request: O::Request) -> Self {
        Self { request, now: None }
    }

    /// Sets the clock of a local stack for each page.
    pub(crate) fn at(self, now: DateTime<Utc>) -> Self {
        Self { now: Some(now), ..self }
    }

    /// The call for the page after `cursor`.
    pub(crate) fn call(&mut self, cursor: Option<String>) -> anyhow::Result<Call<O>> {
        O::set_page(&mut self.request, value(PAGE_ROWS)?, cursor.map(Cursor::from));
        let call = Call::new(&self.request)?;
        Ok(match self.now {
            Some(now) => call.at(now),
            None => call,
        })
    }

    /// Calls `visit` with each row.
    pub(crate) async fn for_each(
        self,
        api: &Api,
        visit: impl FnMut(O::Row) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.for_each_within(api, usize::MAX, visit).await.map(drop)
    }

    /// Calls `visit` with each row of the first `pages_max` pages. Returns whether that was the whole list.
    pub(crate) async fn for_each_within(
        mut self,
        api: &Api,
        pages_max: usize,
        mut visit: impl FnMut(O::Row) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let mut cursor = None;
        for _ in 0..pages_max {
            let page = api.call(&self.call(cursor)?).await?;
            let (rows, next) = O::into_rows(page.answer);
            rows.into_iter().try_for_each(&mut visit)?;
            if next.is_none() {
                return Ok(true);
            }
            cursor = next;
        }
        Ok(false)
    }
}

/// The item of a row, unless it cannot be read.
pub(crate) fn readable_item<V, U>(row: ListRow<V, U>) -> Option<V> {
    match row {
        ListRow::Read(item) => Some(item),
        ListRow::Unreadable(_) => None,
    }
}

/// The record of a row, unless it cannot be read.
pub(crate) fn readable_record<V>(row: RecordedRow<V>) -> Option<V> {
    match row {
        RecordedRow::Read(record) => Some(record),
        RecordedRow::Unread(_) => None,
    }
}
