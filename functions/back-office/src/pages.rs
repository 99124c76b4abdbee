//! Pages of filtered lists.

use std::fmt::Display;

use shared::{
    domain::ids::OrgId,
    error::chain,
    failure::Failure,
    host::{List, RowPage},
    store::{Listed, Page, Row, StoreError},
};

/// Returns a page of the rows for which `view` returns a value.
///
/// One call scans at most a thousand rows. If few of the rows match, the page is shorter than its limit although the
/// list continues.
pub(crate) async fn filtered_page<T, V, F>(
    list: &List<'_>,
    filters: bool,
    fetch: impl Fn(Option<String>, usize) -> F,
    view: impl Fn(T) -> Option<V>,
) -> Result<RowPage<V>, Failure>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    const FILTERED_PAGES_MAX: usize = 10;
    const FILTERED_PAGE_SIZE: usize = 100;

    let (limit, mut after) = (list.size(), list.after().map(str::to_owned));
    // Without a filter, one page of the store is the answer. With a filter, larger pages find more rows per request.
    let (size, pages) = if filters { (FILTERED_PAGE_SIZE, FILTERED_PAGES_MAX) } else { (limit, 1) };
    let mut found = Vec::new();
    for _ in 0..pages {
        let page = fetch(after.take(), size).await?;
        after = page.next;
        for Row { value, position } in page.rows {
            if let Some(wanted) = view(value) {
                // The matching rows exceed the limit, so the next page begins after the last row that fits.
                if found.len() == limit {
                    return Ok(full_page(found));
                }
                found.push((wanted, position));
            }
        }
        if after.is_none() || found.len() == limit {
            break;
        }
    }
    Ok(RowPage { rows: found.into_iter().map(|(view, _)| view).collect(), next: after })
}

/// A row of a list in an answer: an item, or the id of an item that cannot be read. The id keeps the other rows listed.
#[declare::answer]
#[serde(untagged)]
#[schemars(rename = "{V}OrUnreadable")]
pub enum ListRow<V, U> {
    /// A readable item.
    Read(V),
    /// The id of an unreadable item.
    Unreadable(U),
}

/// The properties of a list that determine its rows.
#[derive(Clone, Copy)]
pub(crate) struct Listing<'a> {
    /// The org of the items, or `None` for the list of orgs.
    pub(crate) org: Option<&'a OrgId>,
    /// The field name of the ids.
    pub(crate) name: &'static str,
    /// Whether the request filters the list.
    pub(crate) filters: bool,
}

impl Listing<'_> {
    /// Returns the row of an item, or `None` if the list does not contain the item.
    ///
    /// An unreadable item is logged. A filtered list omits the item, because the filter cannot be applied.
    pub(crate) fn row<Id: Display, T, V, U: From<Id>>(
        self,
        Listed { id, image }: Listed<Id, T>,
        view: impl FnOnce(T) -> Option<V>,
    ) -> Option<ListRow<V, U>> {
        let Self { org, name, filters } = self;
        match image {
            Ok(image) => view(image).map(ListRow::Read),
            Err(error) => {
                let error = chain(&error);
                tracing::error!(
                    org = org.map(tracing::field::display),
                    name,
                    id = %id,
                    error,
                    "a listed item cannot be read"
                );
                (!filters).then(|| ListRow::Unreadable(id.into()))
            }
        }
    }
}

/// Returns a full page. The next page starts after its last row.
fn full_page<V>(found: Vec<(V, String)>) -> RowPage<V> {
    let next = found.last().map(|(_, position)| position.clone());
    RowPage { rows: found.into_iter().map(|(view, _)| view).collect(), next }
}
