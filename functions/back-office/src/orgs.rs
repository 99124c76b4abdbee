//! Orgs: create or replace, read, list, delete. Only disposable orgs can be deleted.

use std::{ops::ControlFlow, time::Duration};

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        ids::OrgId,
        org::{Org, OrgProfile},
        rejection::Rejection,
        text::SingleLine,
        zone::Zone,
    },
    failure::Failure,
    host::{Context, List, Reply, retry_conflicts},
    inbound::{
        Call,
        cursor::{Cursor, CursorScope},
        fields::{OrgCurrency, PageSize},
    },
    jobs::bundle_status::{ReconcileOutcome, Reconciler},
};

use crate::{pages::Listing, view::OrgView};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct OrgFields {
    org_id: OrgId,
    name: SingleLine,
    #[deserr(default)]
    timezone: Zone,
    #[deserr(default)]
    currency: OrgCurrency,
    #[deserr(default)]
    disposable: Option<bool>,
}

pub(crate) async fn put(context: &Context, call: Call) -> Result<Reply, Failure> {
    let only_create = call.only_create;
    let fields: OrgFields = call.read()?;
    let profile = OrgProfile { name: fields.name, timezone: fields.timezone, currency: fields.currency.0 };
    let (reply, org_in_new_zone) = retry_conflicts(context.deadline, || {
        replace(context, &fields.org_id, &profile, fields.disposable, only_create)
    })
    .await?;
    if let Some(org) = org_in_new_zone {
        reconcile_bundles(context, &org).await;
    }
    Ok(reply)
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
    only_create: bool,
) -> Result<(Reply, Option<Org>), Failure> {
    let profile = profile.clone();
    match context.store.org_versioned(id).await? {
        Some(_) if only_create => Err(Rejection::AlreadyExists.into()),
        Some(current) => {
            let org = current.value.replaced(profile, disposable, context.now)?;
            let reply = Reply::ok(&OrgView::from(org.clone()));
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
            Ok((Reply::created(&OrgView::from(org)), None))
        }
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
pub(crate) struct OrgRequest {
    pub(crate) org_id: OrgId,
}

pub(crate) async fn get(context: &Context, call: Call) -> Result<Reply, Failure> {
    let OrgRequest { org_id } = call.read()?;
    let org = context.org_versioned(&org_id).await?;
    Ok(Reply::ok(&OrgView::from(org.value)))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct OrgsPage {
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

pub(crate) async fn list(context: &Context, call: Call) -> Result<Reply, Failure> {
    let scope = CursorScope { operation: call.operation.name, org: "", qualifier: "" };
    let OrgsPage { limit, cursor } = call.read()?;
    let list = List::begin(scope, limit, cursor)?;
    let page = context.store.orgs(list.after(), list.size()).await?;
    let listing = Listing { org: None, name: "orgId", filters: false };
    let view = |org: Org| (!org.deleting).then(|| OrgView::from(org));
    Ok(list.answer("orgs", page, |listed| listing.row(listed, view)))
}

#[derive(Serialize)]
struct DeletedView {
    deleted: u64,
    complete: bool,
}

/// Deletes an org in pages until the time of the call is used up, and reports whether the deletion is complete.
pub(crate) async fn delete(context: &Context, call: Call) -> Result<Reply, Failure> {
    /// The number of partitions that are erased concurrently.
    const CONCURRENT_PARTITIONS: usize = 20;
    /// The time that the last page may take.
    const PAGE_RESERVE: Duration = Duration::from_secs(3);

    let OrgRequest { org_id } = call.read()?;
    retry_conflicts(context.deadline, || mark_for_deletion(context, &org_id)).await?;
    let mut total: u64 = 0;
    loop {
        let deletion = context.store.delete_org_step(&org_id, CONCURRENT_PARTITIONS).await?;
        total = total.saturating_add(deletion.items_deleted);
        if deletion.is_complete || context.deadline.remaining() < PAGE_RESERVE {
            return Ok(Reply::ok(&DeletedView { deleted: total, complete: deletion.is_complete }));
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
