//! Orgs: create or replace, read, list, delete. Only disposable orgs can be deleted.

use std::{ops::ControlFlow, time::Duration};

use shared::{
    domain::{
        contact::Country,
        ids::OrgId,
        org::{Org, OrgProfile},
        rejection::{RefusalCode, Rejection},
        text::SingleLine,
        zone::Zone,
    },
    failure::Failure,
    host::{
        Context, Declared, Handler, List, ListOperation, PageRequest, Reply, RowPage, Success, Tag, UnreadReason,
        retry_conflicts,
    },
    inbound::{
        cursor::Cursor,
        fields::{OrgCurrency, PageSize},
        operation::{Callers, Operation},
    },
    jobs::bundle_status::{ReconcileOutcome, Reconciler},
    telemetry::metric::Metric,
};

use crate::{
    pages::{ListRow, Listing},
    view::OrgView,
};

/// Creates or replaces an org.
pub struct PutOrg;

/// The profile of an org.
#[declare::request]
pub struct PutOrgRequest {
    /// The org.
    pub org_id: OrgId,
    /// The name of the shop, for people.
    pub name: SingleLine,
    /// The time zone of the org's days and clock times: UTC or the IANA time zone of a place. Absent: `America/New_York`.
    #[declare(default)]
    pub timezone: Zone,
    /// The currency of all amounts, with two decimals or none. Absent: USD.
    #[declare(default)]
    pub currency: OrgCurrency,
    /// The country in which telephone numbers without a country code are dialled. Absent: US.
    #[declare(default)]
    pub country: Country,
    /// Whether the org may be deleted, which is fixed at its creation. Absent: false for a new org, unchanged for an
    /// existing one.
    pub disposable: Option<bool>,
}

impl Declared for PutOrg {
    const OPERATION: Operation = Operation::new("putOrg", "PUT", "/orgs/{orgId}").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Create or replace an org";
    const DESCRIPTION: &'static str = "Replaces the profile and keeps the loyalty settings. A new time zone applies at \
        once, and the recorded status of each bundle follows within minutes.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::AlreadyExists, RefusalCode::OrgBeingDeleted, RefusalCode::DisposableIsFixed];
    const METRICS: &'static [Metric] = &[];

    type Request = PutOrgRequest;
    type Answer = OrgView;
}

impl Handler for PutOrg {
    async fn handle(context: &Context, request: PutOrgRequest) -> Result<Reply<OrgView>, Failure> {
        let PutOrgRequest { org_id, name, timezone, currency: OrgCurrency(currency), country, disposable } = request;
        let profile = OrgProfile { name, timezone, currency, country };
        let (reply, org_in_new_zone) =
            retry_conflicts(context.deadline, || replace(context, &org_id, &profile, disposable)).await?;
        if let Some(org) = org_in_new_zone {
            reconcile_bundles(context, &org).await;
        }
        Ok(reply)
    }
}

/// Evaluates the bundles of an org in its new time zone.
///
/// The answer does not depend on the result. The change of the zone has left a mark, so `bundle-transitions` evaluates
/// the bundles that remain if time runs out or the store is busy.
async fn reconcile_bundles(context: &Context, org: &Org) {
    /// The time that the answer may take.
    const ANSWER_RESERVE: Duration = Duration::from_secs(1);

    let Context { store, now, deadline, .. } = context;
    let reconciler = Reconciler { store, now: *now, deadline: *deadline, dry_run: false };
    let (mut evaluated, mut failed) = (0_u64, 0_u64);
    let count = |_, outcome: ReconcileOutcome| {
        *(if outcome.is_ok() { &mut evaluated } else { &mut failed }) += 1;
        ControlFlow::Continue(())
    };
    let reconciliation = reconciler.apply_time_zone(org, |_| true, count);
    let result = tokio::time::timeout(deadline.remaining().saturating_sub(ANSWER_RESERVE), reconciliation).await;
    let complete = matches!(result, Ok(Ok(true)));
    tracing::info!(org = %org.id, evaluated, failed, complete, "bundles evaluated in a new time zone");
}

async fn replace(
    context: &Context,
    id: &OrgId,
    profile: &OrgProfile,
    disposable: Option<bool>,
) -> Result<(Reply<OrgView>, Option<Org>), Failure> {
    let profile = profile.clone();
    match context.store.org_versioned(id).await? {
        Some(_) if context.call.only_create => Err(Rejection::AlreadyExists.into()),
        Some(current) => {
            let org = current.value.replaced(profile, disposable, context.now)?;
            let reply = Reply::done(OrgView::from(org.clone()));
            if org.profile.timezone == current.value.profile.timezone {
                context.store.put_org(&org, Some(&current)).await?;
                return Ok((reply, None));
            }
            context.store.put_org_with_time_zone_change(&org, &current, context.now).await?;
            Ok((reply, Some(org)))
        }
        None => {
            let org = Org {
                id: id.clone(),
                profile,
                zone_since: None,
                disposable: disposable.unwrap_or(false),
                deleting: false,
                loyalty: None,
            };
            context.store.put_org(&org, None).await?;
            Ok((Reply::created(OrgView::from(org)), None))
        }
    }
}

/// One org.
#[declare::request]
pub struct OrgRequest {
    /// The org.
    pub org_id: OrgId,
}

/// Reads an org.
pub struct GetOrg;

impl Declared for GetOrg {
    const OPERATION: Operation = Operation::new("getOrg", "GET", "/orgs/{orgId}").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Read an org";
    const DESCRIPTION: &'static str = "Returns the org with its loyalty settings, once they are set.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[];

    type Request = OrgRequest;
    type Answer = OrgView;
}

impl Handler for GetOrg {
    async fn handle(context: &Context, request: OrgRequest) -> Result<Reply<OrgView>, Failure> {
        let org = context.org_versioned(&request.org_id).await?;
        Ok(Reply::done(OrgView::from(org.value)))
    }
}

/// Lists the orgs.
pub struct ListOrgs;

/// A page of the orgs.
#[declare::request]
pub struct OrgsRequest {
    /// The largest number of orgs. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Orgs.
#[declare::answer]
pub struct OrgsAnswer {
    /// The orgs, by id.
    pub orgs: Vec<OrgRow>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

/// An org in a list.
pub type OrgRow = ListRow<OrgView, UnreadableOrg>;

/// An org that cannot be read.
#[declare::answer]
pub struct UnreadableOrg {
    /// The id of the org.
    pub org_id: OrgId,
    /// Why the org cannot be read.
    pub error: UnreadReason,
}

impl From<OrgId> for UnreadableOrg {
    fn from(org_id: OrgId) -> Self {
        Self { org_id, error: UnreadReason::Internal }
    }
}

impl Declared for ListOrgs {
    const OPERATION: Operation = Operation::new("listOrgs", "GET", "/orgs").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List orgs";
    const DESCRIPTION: &'static str =
        "Leaves out orgs that are being deleted. An org that cannot be read has an `error`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[];

    type Request = OrgsRequest;
    type Answer = OrgsAnswer;
}

impl ListOperation for ListOrgs {
    type Row = OrgRow;

    fn page(request: &OrgsRequest) -> PageRequest<'_> {
        PageRequest { org: "", qualifier: "", limit: request.limit, cursor: request.cursor.clone() }
    }

    async fn rows(context: &Context, _request: &OrgsRequest, list: &List<'_>) -> Result<RowPage<OrgRow>, Failure> {
        let page = context.store.orgs(list.after(), list.size()).await?;
        let listing = Listing { org: None, name: "orgId", filters: false };
        let view = |org: Org| (!org.deleting).then(|| OrgView::from(org));
        Ok(RowPage::of(page, |listed| listing.row(listed, view)))
    }

    fn answer(orgs: Vec<OrgRow>, cursor: Option<String>) -> OrgsAnswer {
        OrgsAnswer { orgs, cursor }
    }
}

/// Deletes an org in pages until the time of the call is used up, and reports whether the deletion is complete.
pub struct DeleteOrg;

/// The progress of a deletion.
#[declare::answer]
pub struct DeletedOrgAnswer {
    /// The number of items that this call deleted.
    pub deleted: u64,
    /// Whether the deletion is complete. Otherwise another call continues it.
    pub complete: bool,
}

impl Declared for DeleteOrg {
    const OPERATION: Operation = Operation::new("deleteOrg", "DELETE", "/orgs/{orgId}").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Delete a disposable org";
    const DESCRIPTION: &'static str = "Deletes the org and its data, as much as the time of a call allows. Call again \
        until `complete` is true. From the first call on, every other operation treats the org as unknown.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::OrgNotDisposable];
    const METRICS: &'static [Metric] = &[];

    type Request = OrgRequest;
    type Answer = DeletedOrgAnswer;
}

impl Handler for DeleteOrg {
    async fn handle(context: &Context, request: OrgRequest) -> Result<Reply<DeletedOrgAnswer>, Failure> {
        /// The number of partitions that are erased concurrently.
        const CONCURRENT_PARTITIONS: usize = 20;
        /// The time that the last page may take.
        const PAGE_RESERVE: Duration = Duration::from_secs(3);

        let OrgRequest { org_id } = request;
        retry_conflicts(context.deadline, || mark_for_deletion(context, &org_id)).await?;
        let mut total: u64 = 0;
        loop {
            let deletion = context.store.delete_org_step(&org_id, CONCURRENT_PARTITIONS).await?;
            total = total.saturating_add(deletion.items_deleted);
            if deletion.is_complete || context.deadline.remaining() < PAGE_RESERVE {
                return Ok(Reply::done(DeletedOrgAnswer { deleted: total, complete: deletion.is_complete }));
            }
        }
    }
}

/// Marks an org before its items are deleted.
///
/// Other operations reject a marked org, and an interrupted deletion can continue.
async fn mark_for_deletion(context: &Context, id: &OrgId) -> Result<(), Failure> {
    let current = context.store.org_versioned(id).await?.ok_or(Rejection::UnknownOrg)?;
    if !current.value.deleting {
        context.store.put_org(&current.value.marked_for_deletion()?, Some(&current)).await?;
    }
    Ok(())
}
