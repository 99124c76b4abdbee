//! Lists of the back office, read page by page.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::api::{Api, ApiRequest};

/// Rows of a page, the most that the back office returns.
const PAGE_ROWS: u32 = 100;

/// A list of the back office.
pub(crate) struct List<'a> {
    /// The path, with the filter of the list as its query.
    pub(crate) path: &'a str,
    /// The member of a page that holds its rows.
    pub(crate) rows: &'a str,
    /// Sets the clock of a local stack for each page.
    pub(crate) now: Option<DateTime<Utc>>,
}

impl<'a> List<'a> {
    /// A list at the current time.
    pub(crate) const fn new(path: &'a str, rows: &'a str) -> Self {
        Self { path, rows, now: None }
    }

    /// Calls `visit` with each row.
    pub(crate) async fn for_each(
        &self,
        api: &Api,
        visit: impl FnMut(&Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.for_each_within(api, usize::MAX, visit).await.map(drop)
    }

    /// Calls `visit` with each row of the first `pages_max` pages. Returns whether that was the whole list.
    pub(crate) async fn for_each_within(
        &self,
        api: &Api,
        pages_max: usize,
        mut visit: impl FnMut(&Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        let mut cursor = String::new();
        for _ in 0..pages_max {
            let path = format!("{}{separator}limit={PAGE_ROWS}{cursor}", self.path);
            let request = ApiRequest { now: self.now, ..ApiRequest::get("back-office", &path) };
            let page = api.send(&request).await?.into_accepted_body()?;
            for row in page.get(self.rows).and_then(Value::as_array).into_iter().flatten() {
                visit(row)?;
            }
            match page.get("cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}
