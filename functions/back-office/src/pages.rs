//! Pages of lists that are looked through for what is wanted.

use std::fmt::Display;

use serde::{Serialize, Serializer, ser::SerializeMap};
use shared::{
    domain::ids::OrgId,
    error::chain,
    failure::Failure,
    host::List,
    store::{Listed, Page, Row, StoreError},
};

/// A page of up to `limit` of those things that `view` makes something of, and the position after it. Where few do, the
/// page is short and the list still goes on: one call looks through up to a thousand.
pub(crate) async fn filtered_page<T, V, F>(
    list: &List<'_>,
    filters: bool,
    fetch: impl Fn(Option<String>, usize) -> F,
    view: impl Fn(T) -> Option<V>,
) -> Result<(Vec<V>, Option<String>), Failure>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    const PAGES: usize = 10;
    let (limit, mut after) = (list.size(), list.after().map(str::to_owned));
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

/// What a list shows of one thing.
pub(crate) enum ListRow<V> {
    /// All of it.
    Read(Box<V>),
    /// That it is there and can't be read: it keeps no other from being listed.
    Unreadable {
        /// What lists call such an id.
        name: &'static str,
        /// The id.
        id: String,
    },
}

/// In answers an unreadable one is `{<name>: id, error}`.
impl<V: Serialize> Serialize for ListRow<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(view) => view.serialize(serializer),
            Self::Unreadable { name, id } => {
                let mut fields = serializer.serialize_map(Some(2))?;
                fields.serialize_entry(name, id)?;
                fields.serialize_entry("error", "internal")?;
                fields.end()
            }
        }
    }
}

/// A list.
#[derive(Clone, Copy)]
pub(crate) struct Listing<'a> {
    /// The org's, or of all orgs.
    pub(crate) org: Option<&'a OrgId>,
    /// What its ids are called.
    pub(crate) name: &'static str,
    /// Whether only some of it is asked for.
    pub(crate) filters: bool,
}

impl Listing<'_> {
    /// What it shows of one thing, if `view` makes something of it. Of one that can't be read nobody can say whether a filter
    /// is meant to find it.
    pub(crate) fn row<Id: Display, T, V>(
        self,
        Listed { id, image }: Listed<Id, T>,
        view: impl FnOnce(T) -> Option<V>,
    ) -> Option<ListRow<V>> {
        let Self { org, name, filters } = self;
        match image {
            Ok(image) => view(image).map(|view| ListRow::Read(Box::new(view))),
            Err(error) => {
                let (id, error) = (id.to_string(), chain(&error));
                tracing::error!(
                    org = org.map(tracing::field::display),
                    name,
                    id,
                    error,
                    "what is listed can't be read"
                );
                (!filters).then_some(ListRow::Unreadable { name, id })
            }
        }
    }
}

fn cut<V>(found: Vec<(V, String)>) -> (Vec<V>, Option<String>) {
    let next = found.last().map(|(_, position)| position.clone());
    (found.into_iter().map(|(view, _)| view).collect(), next)
}
