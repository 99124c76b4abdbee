//! Pages of lists that are looked through for what is wanted.

use shared::{
    failure::Failure,
    store::{Page, Row, StoreError},
};

/// A page of up to `limit` of those things that `view` makes something of, and the position after it. Where few do, the
/// page is short and the list still goes on: one call looks through up to a thousand.
pub(crate) async fn filtered<T, V, F>(
    mut after: Option<String>,
    limit: usize,
    filters: bool,
    fetch: impl Fn(Option<String>, usize) -> F,
    view: impl Fn(T) -> Option<V>,
) -> Result<(Vec<V>, Option<String>), Failure>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    const PAGES: usize = 10;
    // Without a filter one page of the store is the answer; with one, larger pages find more for as many requests.
    let (size, pages) = if filters { (100, PAGES) } else { (limit, 1) };
    let mut found = Vec::new();
    for _ in 0..pages {
        let page = fetch(after.take(), size).await?;
        after = page.next;
        for Row { value, position } in page.rows {
            if let Some(wanted) = view(value) {
                // More was fetched than fits: the next page begins after the last that did.
                if found.len() == limit {
                    return Ok(cut(found));
                }
                found.push((wanted, position));
            }
        }
        if after.is_none() || found.len() == limit {
            break;
        }
    }
    Ok((found.into_iter().map(|(view, _)| view).collect(), after))
}

fn cut<V>(found: Vec<(V, String)>) -> (Vec<V>, Option<String>) {
    let next = found.last().map(|(_, position)| position.clone());
    (found.into_iter().map(|(view, _)| view).collect(), next)
}
