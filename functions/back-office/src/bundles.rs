//! Bundles: create or replace, transition, read, list, delete. A redeemed bundle cannot be deleted.

use deserr::Deserr;
use shared::{
    domain::{
        bundle::{
            state::Bundle,
            status::BundleStatus,
            terms::{BundleTerms, DesiredState},
            transition::{StatusUpdate, bring_up_to_date, edit},
        },
        ids::{BundleId, OrgId},
        org::Org,
        rejection::Rejection,
        text::SingleLine,
    },
    failure::{Failure, Retry},
    host::{Context, List, Reply, retry_conflicts},
    inbound::{
        Call,
        bundle::BundleFields,
        cursor::{Cursor, CursorScope},
        fields::PageSize,
    },
    store::Versioned,
    views::TransitionView,
};

use crate::{
    pages::{Listing, filtered_page},
    view::BundleView,
};

pub(crate) async fn put(context: &Context, call: Call) -> Result<Reply, Failure> {
    let only_create = call.only_create;
    let fields: BundleFields = call.read()?;
    retry_conflicts(context.deadline, || replace(context, &fields, only_create)).await
}

async fn replace(context: &Context, fields: &BundleFields, only_create: bool) -> Result<Reply, Failure> {
    let (org, bundle) = load(context, &fields.org_id, &fields.bundle_id).await?;
    fields.check(&org.value)?;
    match bundle {
        Some(_) if only_create => Err(Rejection::AlreadyExists.into()),
        Some(current) => {
            let terms = fields.terms(current.value.terms.desired_state);
            change(context, &org, &current, terms, None).await
        }
        None => {
            let (terms, zone) = (fields.terms(DesiredState::default()), org.value.profile.timezone);
            let created = StatusUpdate::new(fields.bundle_id.clone(), terms, zone, context.now);
            let mut transaction = context.store.transaction(&org.value);
            transaction.create_bundle(&created, org.version)?;
            transaction.commit().await?;
            Ok(Reply::created(&BundleView::now(&org.value, created.bundle, context.now)))
        }
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct TransitionRequest {
    org_id: OrgId,
    bundle_id: BundleId,
    to: DesiredState,
    reason: SingleLine,
}

/// Sets the desired state of a bundle, for an operator.
pub(crate) async fn transition(context: &Context, call: Call) -> Result<Reply, Failure> {
    let TransitionRequest { org_id, bundle_id, to, reason } = call.read()?;
    retry_conflicts(context.deadline, || async {
        let (org, bundle) = load(context, &org_id, &bundle_id).await?;
        let current = bundle.ok_or(Rejection::BundleNotFound)?;
        let terms = BundleTerms { desired_state: to, ..current.value.terms.clone() };
        change(context, &org, &current, terms, Some(reason.clone())).await
    })
    .await
}

/// Changes the terms of a bundle. Transitions that are due by the clock are recorded first.
async fn change(
    context: &Context,
    org: &Versioned<Org>,
    current: &Versioned<Bundle>,
    terms: BundleTerms,
    note: Option<SingleLine>,
) -> Result<Reply, Failure> {
    let update = bring_up_to_date(&current.value, org.value.zone(), context.now);
    let complete = update.complete;
    let mut transaction = context.store.transaction(&org.value);
    let update = if complete {
        let edited = edit(update, terms, note)?;
        transaction.edit_bundle(&edited, current)?;
        edited
    } else {
        transaction.record_status(&update, current)?;
        update
    };
    transaction.require_org_version(org.version)?;
    transaction.commit().await?;
    if complete {
        Ok(Reply::ok(&BundleView::now(&org.value, update.bundle, context.now)))
    } else {
        // The retry records the remaining due transitions, and then the change.
        Err(Failure::Retry(Retry::Contended))
    }
}

/// Reads the current bundle and its current org. Rejects an org that is being deleted.
async fn load(
    context: &Context,
    org_id: &OrgId,
    bundle_id: &BundleId,
) -> Result<(Versioned<Org>, Option<Versioned<Bundle>>), Failure> {
    let (org, bundle) = context.store.org_and_bundle(org_id, bundle_id).await?;
    let org = org.filter(|org| !org.value.deleting).ok_or(Rejection::UnknownOrg)?;
    Ok((org, bundle))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct BundleRequest {
    org_id: OrgId,
    bundle_id: BundleId,
}

pub(crate) async fn get(context: &Context, call: Call) -> Result<Reply, Failure> {
    let BundleRequest { org_id, bundle_id } = call.read()?;
    let org = context.org(&org_id).await?;
    let bundle = context.store.bundle(&org_id, &bundle_id).await?.ok_or(Rejection::BundleNotFound)?;
    Ok(Reply::ok(&BundleView::now(&org, bundle.value, context.now)))
}

/// Deletes a bundle without redemptions, and its transitions.
///
/// A repeated call deletes the transitions that an interrupted call has left.
pub(crate) async fn delete(context: &Context, call: Call) -> Result<Reply, Failure> {
    let BundleRequest { org_id, bundle_id } = call.read()?;
    let org = context.org(&org_id).await?;
    let deleted = retry_conflicts(context.deadline, || async {
        let Some(bundle) = context.store.bundle(&org_id, &bundle_id).await? else {
            return Ok(None);
        };
        if bundle.value.usage.ever_redeemed {
            return Err(Rejection::BundleRedeemed.into());
        }
        let mut transaction = context.store.transaction(&org);
        transaction.delete_bundle(&bundle_id, bundle.version, context.now)?;
        transaction.commit().await?;
        Ok(Some(bundle.value))
    })
    .await?;
    context.store.delete_transitions(&org_id, &bundle_id).await?;
    let bundle = deleted.ok_or(Rejection::BundleNotFound)?;
    Ok(Reply::ok(&BundleView::now(&org, bundle, context.now)))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct BundlesPage {
    org_id: OrgId,
    #[deserr(default)]
    status: Option<BundleStatus>,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

pub(crate) async fn list(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let BundlesPage { org_id, status, limit, cursor } = call.read()?;
    let list = List::begin(CursorScope { operation, org: org_id.as_str(), qualifier: "" }, limit, cursor)?;
    let org = context.org(&org_id).await?;

    let view = |bundle: Box<Versioned<Bundle>>| {
        let wanted = status.is_none_or(|status| bundle.value.recorded.status == status);
        wanted.then(|| BundleView::recorded(&org, bundle.value))
    };
    let listing = Listing { org: Some(&org_id), name: "bundleId", filters: status.is_some() };
    let view = |listed| listing.row(listed, view);
    let (org_id, store) = (&org_id, &context.store);
    let fetch = |after: Option<String>, size| async move { store.bundles(org_id, after.as_deref(), size).await };
    let (rows, next) = filtered_page(&list, status.is_some(), fetch, view).await?;
    Ok(list.answer_rows("bundles", &rows, next))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct TransitionsPage {
    org_id: OrgId,
    bundle_id: BundleId,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

pub(crate) async fn transitions(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let TransitionsPage { org_id, bundle_id, limit, cursor } = call.read()?;
    let list =
        List::begin(CursorScope { operation, org: org_id.as_str(), qualifier: bundle_id.as_str() }, limit, cursor)?;
    context.org(&org_id).await?;
    let page = context.store.transitions(&org_id, &bundle_id, list.after(), list.size()).await?;
    if list.is_empty(&page) {
        // The bundle never changed, or does not exist.
        context.store.bundle(&org_id, &bundle_id).await?.ok_or(Rejection::BundleNotFound)?;
    }
    Ok(list.answer("transitions", page, |row| Some(row.map(TransitionView::from))))
}
