//! Read-only operations: the redemptions of a bundle, its counters, and the eligibility of a customer.

use deserr::Deserr;
use serde::Serialize;
use shared::{
    domain::{
        bundle::{
            redemption::{Fulfilment, admit},
            state::Bundle,
            terms::UseLimit,
        },
        ids::{BundleId, CustomerId, OrgId},
        money::Money,
        rejection::Rejection,
    },
    failure::Failure,
    host::{Context, List, Reply},
    inbound::{
        Call,
        cursor::{Cursor, CursorScope},
        fields::PageSize,
    },
};

use crate::redeem::{BundleRedemptionView, missing_bundle, require_known_customer};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct BundleRedemptionsPage {
    org_id: OrgId,
    bundle_id: BundleId,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

/// Lists the redemptions of a bundle, newest first. Voided redemptions stay in the list, with `voidedAt`.
pub(crate) async fn list(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let BundleRedemptionsPage { org_id, bundle_id, limit, cursor } = call.read()?;
    let list =
        List::begin(CursorScope { operation, org: org_id.as_str(), qualifier: bundle_id.as_str() }, limit, cursor)?;
    context.org(&org_id).await?;
    let page = context.store.bundle_redemptions(&org_id, &bundle_id, list.after(), list.size()).await?;
    if list.is_empty(&page) {
        // The bundle has no redemption, or does not exist.
        load_bundle(context, &org_id, &bundle_id).await?;
    }
    Ok(list.answer("redemptions", page, |row| Some(row.map(BundleRedemptionView::from))))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct EligibilityRequest {
    org_id: OrgId,
    bundle_id: BundleId,
    customer_id: CustomerId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EligibilityAnswer {
    can_redeem: bool,
    current_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_allowed: Option<UseLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Reports whether a customer may redeem a bundle now. The rule is the one that [`crate::redeem`] applies.
pub(crate) async fn eligibility(context: &Context, call: Call) -> Result<Reply, Failure> {
    let EligibilityRequest { org_id, bundle_id, customer_id } = call.read()?;
    let org = context.org(&org_id).await?;
    let (bundle, current_count) = context.store.bundle_and_customer_count(&org_id, &bundle_id, &customer_id).await?;
    let Some(bundle) = bundle else { return Err(missing_bundle(context, &org, &bundle_id).await?.into()) };
    let bundle = bundle.value;
    require_known_customer(context, &org, &bundle, &customer_id).await?;
    let fulfilment = Fulfilment { at: context.now, now: context.now, was_active: false, savings: None };
    let refusal = admit(&bundle, org.profile.timezone, current_count, fulfilment).err();
    Ok(Reply::ok(&EligibilityAnswer {
        can_redeem: refusal.is_none(),
        current_count,
        max_allowed: bundle.terms.per_customer_limit,
        code: refusal.as_ref().map(Rejection::code),
        reason: refusal.as_ref().map(ToString::to_string),
    }))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct StatsRequest {
    org_id: OrgId,
    bundle_id: BundleId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatsAnswer {
    total_redemptions: u64,
    unique_customers: u64,
    total_savings: Money,
    average_savings: Money,
}

/// Returns the counters of a bundle. The counters are stored with the bundle, so its redemptions are not read.
pub(crate) async fn stats(context: &Context, call: Call) -> Result<Reply, Failure> {
    let StatsRequest { org_id, bundle_id } = call.read()?;
    context.org(&org_id).await?;
    let usage = load_bundle(context, &org_id, &bundle_id).await?.usage;
    Ok(Reply::ok(&StatsAnswer {
        total_redemptions: usage.redemptions,
        unique_customers: usage.customers,
        total_savings: usage.savings,
        average_savings: usage.average_savings(),
    }))
}

async fn load_bundle(context: &Context, org: &OrgId, id: &BundleId) -> Result<Bundle, Failure> {
    let bundle = context.store.bundle(org, id).await?;
    Ok(bundle.ok_or(Rejection::BundleNotFound)?.value)
}
