//! A page of a list.

use serde::Serialize;

use super::answer::Reply;
use crate::{
    domain::rejection::Rejection,
    inbound::{
        cursor::{Cursor, CursorScope},
        fields::PageSize,
    },
    store::{Page, Row},
};

/// One page of a list, as a request asks for it.
pub struct List<'a> {
    scope: CursorScope<'a>,
    size: PageSize,
    after: Option<String>,
}

impl<'a> List<'a> {
    /// The page at which the cursor continues, or the first page. A cursor of another list is rejected.
    pub fn begin(scope: CursorScope<'a>, size: PageSize, cursor: Option<Cursor>) -> Result<Self, Rejection> {
        let after = scope.resume(cursor)?;
        Ok(Self { scope, size, after })
    }

    /// The position after which the page begins.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The largest number of rows.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size.get()
    }

    /// Whether the whole list is empty. Then the thing that the list belongs to may not exist.
    #[must_use]
    pub const fn is_empty<T>(&self, page: &Page<T>) -> bool {
        page.rows.is_empty() && self.after.is_none()
    }

    /// The answer: the rows under the name of the list, each through `view`. Rows without a view are left out.
    pub fn answer<T, V: Serialize>(&self, name: &str, page: Page<T>, view: impl FnMut(T) -> Option<V>) -> Reply {
        let rows: Vec<V> = page.rows.into_iter().map(|Row { value, .. }| value).filter_map(view).collect();
        self.answer_rows(name, &rows, page.next)
    }

    /// The answer with these rows, and the position at which the list continues.
    #[must_use]
    pub fn answer_rows(&self, name: &str, rows: &[impl Serialize], next: Option<String>) -> Reply {
        Reply::list(name, rows, self.scope.next(next))
    }
}
