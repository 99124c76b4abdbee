//! Operations that return a page of a list.

use super::{answer::Reply, context::Context, declared::Declared};
use crate::{
    failure::Failure,
    inbound::{
        cursor::{Cursor, CursorScope},
        fields::PageSize,
    },
    store::{Page, Row},
};

/// An operation that returns a page of a list.
pub trait ListOperation: Declared {
    /// A row of the answer.
    type Row: Send;

    /// The page that a request asks for.
    fn page(request: &Self::Request) -> PageRequest<'_>;

    /// Reads the page.
    fn rows(
        context: &Context,
        request: &Self::Request,
        list: &List<'_>,
    ) -> impl Future<Output = Result<RowPage<Self::Row>, Failure>> + Send;

    /// The answer with the rows of the page, and the cursor if the list continues.
    fn answer(rows: Vec<Self::Row>, cursor: Option<String>) -> Self::Answer;
}

/// The page that a request asks for, and the list that its cursor is bound to.
#[derive(Debug)]
pub struct PageRequest<'a> {
    /// The org. Empty for a list without an org.
    pub org: &'a str,
    /// The value that distinguishes the list from other lists of the operation and the org, such as a customer or a
    /// filter. May be empty.
    pub qualifier: &'a str,
    /// The largest number of rows.
    pub limit: PageSize,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
}

/// The rows of a page, and the position after the page if the list continues.
pub struct RowPage<V> {
    /// The rows.
    pub rows: Vec<V>,
    /// The position after the page.
    pub next: Option<String>,
}

impl<V> RowPage<V> {
    /// The rows of a stored page, each through `view`. Rows without a view are left out.
    pub fn of<T>(page: Page<T>, view: impl FnMut(T) -> Option<V>) -> Self {
        let rows = page.rows.into_iter().map(|Row { value, .. }| value).filter_map(view).collect();
        Self { rows, next: page.next }
    }
}

/// The position and the size of a page.
pub struct List<'a> {
    scope: CursorScope<'a>,
    size: PageSize,
    after: Option<String>,
}

impl List<'_> {
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

    /// Whether the whole list is empty. Then the parent of the list, such as an org, may not exist.
    #[must_use]
    pub const fn is_empty<T>(&self, page: &Page<T>) -> bool {
        page.rows.is_empty() && self.after.is_none()
    }
}

/// Performs a list operation. A cursor of another list is rejected.
pub(super) async fn perform<O: ListOperation>(
    context: &Context,
    request: O::Request,
) -> Result<Reply<O::Answer>, Failure> {
    let PageRequest { org, qualifier, limit, cursor } = O::page(&request);
    let scope = CursorScope { operation: O::OPERATION.name, org, qualifier };
    let after = scope.resume(cursor)?;
    let list = List { scope, size: limit, after };
    let RowPage { rows, next } = O::rows(context, &request, &list).await?;
    Ok(Reply::done(O::answer(rows, list.scope.next(next))))
}
