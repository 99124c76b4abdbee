//! Lists the ledger of a customer.

use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        ledger::Entry,
        lots::due::{DUE_ENTRIES_MAX, due_entries},
        rejection::{RefusalCode, Rejection},
    },
    error::chain,
    failure::Failure,
    host::{Context, Declared, List, ListOperation, PageRequest, RecordedRow, RowPage, Success, Tag},
    inbound::{
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
    },
    store::{Store, StoreError},
    telemetry::metric::Metric,
};

use crate::view::EntryView;

/// Lists the ledger of a customer.
pub struct ListActivity;

/// A page of a customer's ledger.
#[declare::request]
pub struct ActivityRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The largest number of entries. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Entries of a customer's ledger.
#[declare::answer]
pub struct ActivityAnswer {
    /// The entries, newest first.
    pub entries: Vec<RecordedRow<EntryView>>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

impl Declared for ListActivity {
    const OPERATION: Operation =
        Operation::new("listActivity", "GET", "/orgs/{orgId}/customers/{customerId}/activity").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List the ledger of a customer";
    const DESCRIPTION: &'static str = "Returns every change of the customer's points and tier, newest first. An entry \
        that this release cannot read has an `error`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer];
    const METRICS: &'static [Metric] = &[];

    type Request = ActivityRequest;
    type Answer = ActivityAnswer;
}

/// The position of a page that begins among the entries that are due. Newer ones may become due at any time.
#[derive(Clone, Copy)]
struct DuePosition {
    /// The version of the customer.
    version: u64,
    /// The number of older entries that are left.
    left: usize,
    /// The instant of the entry before, in milliseconds.
    at: i64,
}

impl DuePosition {
    const PREFIX: &str = "due#";

    /// Returns `None` for a position among the recorded entries.
    fn parse(position: &str) -> Option<Self> {
        let (version, rest) = position.strip_prefix(Self::PREFIX)?.split_once('#')?;
        let (left, at) = rest.split_once('#')?;
        Some(Self { version: version.parse().ok()?, left: left.parse().ok()?, at: at.parse().ok()? })
    }

    fn to_text(self) -> String {
        let Self { version, left, at } = self;
        format!("{}{version}#{left}#{at}", Self::PREFIX)
    }

    /// The number of entries that are still left at a later version of the customer, if `due` are due now. Returns
    /// `None` if they have been recorded.
    fn left_of(self, due: &[Entry], version: u64) -> Option<usize> {
        if self.version == version {
            return Some(self.left);
        }
        // A write records all of them, unless it makes room for the next.
        due.first().filter(|first| first.at.timestamp_millis() <= self.at)?;
        let writes = usize::try_from(version.saturating_sub(self.version)).unwrap_or(usize::MAX);
        Some(self.left.saturating_sub(writes.saturating_mul(DUE_ENTRIES_MAX)))
    }
}

/// The beginning of a page.
#[derive(Default)]
struct PageStart {
    /// Entries that are due and not recorded yet, newest first.
    due: Vec<RecordedRow<EntryView>>,
    /// The position after them, if the page ends there.
    ends_at: Option<DuePosition>,
    /// The position after which the recorded entries of the page begin.
    after: Option<String>,
}

/// The entries that are due, from a position among them. An unreadable customer has none. Fails with `UnknownCustomer`.
async fn page_start(
    context: &Context,
    org: &OrgId,
    customer: &CustomerId,
    from: Option<DuePosition>,
    limit: usize,
) -> Result<PageStart, Failure> {
    let customer = match context.store.customer(org, customer).await {
        Err(StoreError::Broken(error)) => {
            tracing::error!(%org, %customer, error = chain(&error), "only recorded entries are listed");
            return Ok(PageStart::default());
        }
        read => read?.ok_or(Rejection::UnknownCustomer)?,
    };
    let due = due_entries(&customer.value, context.now);
    let left = match from {
        None => due.len(),
        Some(from) => {
            let Some(left) = from.left_of(&due, customer.version) else {
                let after = Some(Store::due_entry_position(from.version, from.left));
                return Ok(PageStart { after, ..PageStart::default() });
            };
            left.min(due.len())
        }
    };
    let rows: Vec<_> = due.into_iter().take(left).rev().take(limit).collect();
    let position = |last: &Entry| DuePosition {
        version: customer.version,
        left: left - rows.len(),
        at: last.at.timestamp_millis(),
    };
    let ends_at = rows.last().filter(|_| rows.len() == limit).map(position);
    // A write may record what is due before the recorded entries are read. These begin after it.
    let is_continued = from.is_some() || !rows.is_empty();
    let after = is_continued.then(|| Store::due_entry_position(customer.version, 0));
    let due = rows.into_iter().map(|entry| RecordedRow::Read(EntryView::from(entry))).collect();
    Ok(PageStart { due, ends_at, after })
}

impl ListOperation for ListActivity {
    type Row = RecordedRow<EntryView>;

    fn page(request: &ActivityRequest) -> PageRequest<'_> {
        PageRequest {
            org: request.org_id.as_str(),
            qualifier: request.customer_id.as_str(),
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(
        context: &Context,
        request: &ActivityRequest,
        list: &List<'_>,
    ) -> Result<RowPage<RecordedRow<EntryView>>, Failure> {
        let ActivityRequest { org_id, customer_id, .. } = request;
        context.org(org_id).await?;
        let (after, size) = (list.after(), list.size());
        let start = match (after, after.and_then(DuePosition::parse)) {
            (Some(after), None) => PageStart { after: Some(after.to_owned()), ..PageStart::default() },
            (_, from) => page_start(context, org_id, customer_id, from, size).await?,
        };
        if let Some(position) = start.ends_at {
            return Ok(RowPage { rows: start.due, next: Some(position.to_text()) });
        }
        let room = size.saturating_sub(start.due.len());
        let page = context.store.ledger(org_id, customer_id, start.after.as_deref(), room).await?;
        let RowPage { rows, next } = RowPage::of(page, |row| Some(RecordedRow::from(row)));
        Ok(RowPage { rows: start.due.into_iter().chain(rows).collect(), next })
    }

    fn answer(entries: Vec<RecordedRow<EntryView>>, cursor: Option<String>) -> ActivityAnswer {
        ActivityAnswer { entries, cursor }
    }
}
