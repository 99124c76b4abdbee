//! Lists what an org owed its customers in points at the end of each day.

use chrono::NaiveDate;
use shared::{
    domain::{
        ids::OrgId,
        liability::{ClosedDay, DayChanges},
        money::Money,
        points::Points,
        rejection::RefusalCode,
    },
    failure::Failure,
    host::{Context, Declared, List, ListOperation, PageRequest, RecordedRow, RowPage, Success, Tag},
    inbound::{
        cursor::Cursor,
        date::Date,
        fields::PageSize,
        operation::{Callers, Operation},
    },
    store::DayRange,
    telemetry::metric::Metric,
};

/// Lists the closed days of an org.
pub struct ListLiability;

/// A page of the closed days of an org.
#[declare::request]
pub struct LiabilityRequest {
    /// The org.
    pub org_id: OrgId,
    /// The first day, in UTC. Absent: the first on record.
    pub from: Option<Date>,
    /// The last day, in UTC. Absent: the last on record.
    pub to: Option<Date>,
    /// The largest number of days. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Closed days of an org.
#[declare::answer]
pub struct LiabilityAnswer {
    /// The days, oldest first.
    pub days: Vec<RecordedRow<DayView>>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

/// A closed day. The seven sums of ledger entries are signed as in the ledger: points that were taken are negative.
#[declare::answer]
pub struct DayView {
    /// The day in UTC.
    #[schemars(with = "String", extend("format" = "date", "examples" = ["2026-12-24"]))]
    pub date: NaiveDate,
    /// Points that orders earned.
    pub earned: Points,
    /// Points that paid for orders.
    pub redeemed: Points,
    /// Points that expired.
    pub expired: Points,
    /// Points that refunds took back.
    pub reversed: Points,
    /// Points that voids of redemptions gave back.
    pub returned: Points,
    /// Points that voids of refunds gave back.
    pub restored: Points,
    /// Points that operators gave or took.
    pub adjusted: Points,
    /// The points of entries of earlier days that were recorded after those days were closed.
    pub late: Points,
    /// The points of all customers at the end of the day: those of the day before, plus the seven sums and `late`.
    pub outstanding: Points,
    /// Points that could not be spent yet when the day was closed. Absent for a day that was closed late.
    pub pending: Option<Points>,
    /// Points that checkouts had set aside when the day was closed. Absent for a day that was closed late.
    pub held: Option<Points>,
    /// Points that expired within 30 days when the day was closed. Absent for a day that was closed late.
    #[declare(rename = "expiringWithin30Days")]
    pub expiring_within_30_days: Option<Points>,
    /// The value of `outstanding` at the best rate of the redemption tiers, in the org's currency.
    pub value: Money,
}

impl From<ClosedDay> for DayView {
    fn from(day: ClosedDay) -> Self {
        let ClosedDay { date, changes, late, outstanding, found, value, .. } = day;
        let DayChanges { earned, redeemed, expired, reversed, returned, restored, adjusted } = changes;
        Self {
            date,
            earned,
            redeemed,
            expired,
            reversed,
            returned,
            restored,
            adjusted,
            late,
            outstanding,
            pending: found.map(|found| found.pending),
            held: found.map(|found| found.held),
            expiring_within_30_days: found.map(|found| found.expiring_within_30_days),
            value,
        }
    }
}

impl Declared for ListLiability {
    const OPERATION: Operation =
        Operation::new("listLiability", "GET", "/orgs/{orgId}/liability").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List the liability of an org";
    const DESCRIPTION: &'static str = "Returns what the points of all customers came to at the end of each day in UTC, \
        and what changed them, oldest day first. The job `points-expiry` closes each day once. A day that this release \
        cannot read has an `error`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[];

    type Request = LiabilityRequest;
    type Answer = LiabilityAnswer;
}

impl ListOperation for ListLiability {
    type Row = RecordedRow<DayView>;

    fn page(request: &LiabilityRequest) -> PageRequest<'_> {
        PageRequest {
            org: request.org_id.as_str(),
            qualifier: "",
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(
        context: &Context,
        request: &LiabilityRequest,
        list: &List<'_>,
    ) -> Result<RowPage<RecordedRow<DayView>>, Failure> {
        let LiabilityRequest { org_id, from, to, .. } = request;
        context.org(org_id).await?;
        let range = DayRange { from: from.map(|Date(day)| day), to: to.map(|Date(day)| day) };
        let page = context.store.closed_days(org_id, range, list.after(), list.size()).await?;
        Ok(RowPage::of(page, |row| Some(row.into())))
    }

    fn answer(days: Vec<RecordedRow<DayView>>, cursor: Option<String>) -> LiabilityAnswer {
        LiabilityAnswer { days, cursor }
    }
}
