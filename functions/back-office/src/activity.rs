//! Lists the ledger of a customer.

use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, List, ListOperation, PageRequest, RecordedRow, RowPage, Success, Tag},
    inbound::{
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
    },
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
        let page = context.store.ledger(org_id, customer_id, list.after(), list.size()).await?;
        if list.is_empty(&page) {
            // The customer is new, or does not exist.
            context.store.customer(org_id, customer_id).await?.ok_or(Rejection::UnknownCustomer)?;
        }
        Ok(RowPage::of(page, |row| Some(row.into())))
    }

    fn answer(entries: Vec<RecordedRow<EntryView>>, cursor: Option<String>) -> ActivityAnswer {
        ActivityAnswer { entries, cursor }
    }
}
