//! Bundles: create or replace, transition, read, delete. A redeemed bundle cannot be deleted.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        bundle::{
            state::Bundle,
            terms::{BundleTerms, DesiredState},
            transition::{StatusUpdate, bring_up_to_date, edit},
        },
        ids::{BundleId, OrgId},
        org::Org,
        rejection::{FieldError, RefusalCode, Rejection},
        text::SingleLine,
    },
    failure::{Failure, Retry},
    host::{Context, Declared, Handler, Reply, Success, Tag, retry_conflicts},
    inbound::{
        CallInfo, Fields,
        bundle::{BundleFields, bundle_errors},
        operation::{Callers, Operation},
    },
    store::Versioned,
    telemetry::metric::Metric,
};

use crate::view::BundleView;

/// Creates or replaces a bundle.
pub struct PutBundle;

impl Declared for PutBundle {
    const OPERATION: Operation = Operation::new("putBundle", "PUT", "/orgs/{orgId}/bundles/{bundleId}");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Create or replace a bundle";
    const DESCRIPTION: &'static str = "Keeps the redemptions of an existing bundle. A `maxRedemptions` equal to their \
        number sells the bundle out, and a higher one opens it again.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::AlreadyExists, RefusalCode::LimitBelowUsed];
    const METRICS: &'static [Metric] = &[];

    type Request = BundleFields;
    type Answer = BundleView;

    fn check(fields: &Fields, _now: DateTime<Utc>, _call: CallInfo) -> Vec<FieldError> {
        bundle_errors(fields)
    }
}

impl Handler for PutBundle {
    async fn handle(context: &Context, fields: BundleFields) -> Result<Reply<BundleView>, Failure> {
        retry_conflicts(context.deadline, || replace(context, &fields)).await
    }
}

async fn replace(context: &Context, fields: &BundleFields) -> Result<Reply<BundleView>, Failure> {
    let (org, bundle) = load(context, &fields.org_id, &fields.bundle_id).await?;
    fields.check(&org.value)?;
    match bundle {
        Some(_) if context.call.only_create => Err(Rejection::AlreadyExists.into()),
        Some(current) => {
            let terms = fields.terms(current.value.terms.desired_state)?;
            change(context, &org, &current, terms, None).await
        }
        None => {
            let (terms, zone) = (fields.terms(DesiredState::default())?, org.value.profile.timezone);
            let created = StatusUpdate::new(fields.bundle_id.clone(), terms, zone, context.now);
            let mut transaction = context.store.transaction(&org.value);
            transaction.create_bundle(&created, org.version)?;
            transaction.commit().await?;
            Ok(Reply::created(BundleView::now(&org.value, created.bundle, context.now)))
        }
    }
}

/// Sets the desired state of a bundle, for an operator.
pub struct TransitionBundle;

/// The state that an operator requests of a bundle.
#[declare::request]
pub struct TransitionRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
    /// The new desired state. Every state can follow every other.
    pub to: DesiredState,
    /// Why. The recorded transition has the reason in `note`.
    pub reason: SingleLine,
}

impl Declared for TransitionBundle {
    const OPERATION: Operation =
        Operation::new("transitionBundle", "POST", "/orgs/{orgId}/bundles/{bundleId}/transition");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Publish, pause or end a bundle";
    const DESCRIPTION: &'static str = "Sets the desired state of the bundle. A change of the desired state is recorded \
        as a transition, even if the status stays the same.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::BundleNotFound];
    const METRICS: &'static [Metric] = &[];

    type Request = TransitionRequest;
    type Answer = BundleView;
}

impl Handler for TransitionBundle {
    async fn handle(context: &Context, request: TransitionRequest) -> Result<Reply<BundleView>, Failure> {
        let TransitionRequest { org_id, bundle_id, to, reason } = request;
        retry_conflicts(context.deadline, || async {
            let (org, bundle) = load(context, &org_id, &bundle_id).await?;
            let current = bundle.ok_or(Rejection::BundleNotFound)?;
            let terms = BundleTerms { desired_state: to, ..current.value.terms.clone() };
            change(context, &org, &current, terms, Some(reason.clone())).await
        })
        .await
    }
}

/// Changes the terms of a bundle. Transitions that are due by the clock are recorded first.
async fn change(
    context: &Context,
    org: &Versioned<Org>,
    current: &Versioned<Bundle>,
    terms: BundleTerms,
    note: Option<SingleLine>,
) -> Result<Reply<BundleView>, Failure> {
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
        Ok(Reply::done(BundleView::now(&org.value, update.bundle, context.now)))
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

/// One bundle.
#[declare::request]
pub struct BundleRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
}

/// Reads a bundle with its status now.
pub struct GetBundle;

impl Declared for GetBundle {
    const OPERATION: Operation =
        Operation::new("getBundle", "GET", "/orgs/{orgId}/bundles/{bundleId}").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Read a bundle";
    const DESCRIPTION: &'static str = "Returns the bundle with its status now, and with the instant of the next change \
        by the clock.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::BundleNotFound];
    const METRICS: &'static [Metric] = &[];

    type Request = BundleRequest;
    type Answer = BundleView;
}

impl Handler for GetBundle {
    async fn handle(context: &Context, request: BundleRequest) -> Result<Reply<BundleView>, Failure> {
        let BundleRequest { org_id, bundle_id } = request;
        let org = context.org(&org_id).await?;
        let bundle = context.store.bundle(&org_id, &bundle_id).await?.ok_or(Rejection::BundleNotFound)?;
        Ok(Reply::done(BundleView::now(&org, bundle.value, context.now)))
    }
}

/// Deletes a bundle without redemptions, and its transitions.
///
/// A repeated call deletes the transitions that an interrupted call has left.
pub struct DeleteBundle;

impl Declared for DeleteBundle {
    const OPERATION: Operation = Operation::new("deleteBundle", "DELETE", "/orgs/{orgId}/bundles/{bundleId}");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Delete a bundle";
    const DESCRIPTION: &'static str = "Deletes a bundle that was never redeemed, and its transitions, and returns the \
        bundle as it was. The id is free for a new bundle.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::BundleNotFound, RefusalCode::BundleRedeemed];
    const METRICS: &'static [Metric] = &[];

    type Request = BundleRequest;
    type Answer = BundleView;
}

impl Handler for DeleteBundle {
    async fn handle(context: &Context, request: BundleRequest) -> Result<Reply<BundleView>, Failure> {
        let BundleRequest { org_id, bundle_id } = request;
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
        Ok(Reply::done(BundleView::now(&org, bundle, context.now)))
    }
}
