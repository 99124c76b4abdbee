//! Loyalty settings of an org: replace, read.

use shared::{
    domain::{
        ids::OrgId,
        loyalty::{Loyalty, LoyaltySettings},
        money::Money,
        org::Org,
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, Handler, Reply, Success, Tag, retry_conflicts},
    inbound::{
        loyalty::LoyaltyFields,
        operation::{Callers, Operation},
    },
    telemetry::metric::Metric,
    views::LoyaltyView,
};

use crate::orgs::OrgRequest;

/// Sets or replaces the loyalty settings of an org.
pub struct PutLoyalty;

impl Declared for PutLoyalty {
    const OPERATION: Operation =
        Operation::new("putLoyalty", "PUT", "/orgs/{orgId}/loyalty").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Set or replace the loyalty settings";
    const DESCRIPTION: &'static str =
        "Replaces the settings as a whole. A setting that the request leaves out gets its default.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::AlreadyExists];
    const METRICS: &'static [Metric] = &[];

    type Request = LoyaltyFields;
    type Answer = LoyaltyView;
}

impl Handler for PutLoyalty {
    async fn handle(context: &Context, request: LoyaltyFields) -> Result<Reply<LoyaltyView>, Failure> {
        let LoyaltyFields { org_id, settings } = request;
        let settings = LoyaltySettings::from(settings);
        retry_conflicts(context.deadline, || replace(context, &org_id, &settings)).await
    }
}

async fn replace(context: &Context, org_id: &OrgId, settings: &LoyaltySettings) -> Result<Reply<LoyaltyView>, Failure> {
    let current = context.org_versioned(org_id).await?;
    let before = current.value.loyalty.as_ref();
    check_amounts(&current.value, settings)?;
    if before.is_some() && context.call.only_create {
        return Err(Rejection::AlreadyExists.into());
    }
    let is_new = before.is_none();
    let loyalty = Some(Loyalty::replaced(before, settings.clone()));
    context.store.put_org(&Org { loyalty, ..current.value.clone() }, Some(&current)).await?;
    let view = LoyaltyView::from(settings);
    Ok(if is_new { Reply::created(view) } else { Reply::done(view) })
}

/// Rejects settings with an amount that the org's currency cannot represent.
fn check_amounts(org: &Org, settings: &LoyaltySettings) -> Result<(), Rejection> {
    let currency = &org.profile.currency;
    // Tiers are sorted after decoding, so the index of a wrong amount would not match the request.
    let is_inexact = |amount: &Money| currency.floor(*amount) != *amount;
    org.check_amounts([
        ("earnRate.per", settings.earn_rate.map(|rate| rate.per.get())),
        ("tiers", settings.tiers.iter().map(|tier| tier.threshold).find(is_inexact)),
        ("redemptionTiers", settings.redemption_tiers.iter().map(|tier| tier.reward_value).find(is_inexact)),
    ])
}

/// Reads the loyalty settings of an org.
pub struct GetLoyalty;

impl Declared for GetLoyalty {
    const OPERATION: Operation =
        Operation::new("getLoyalty", "GET", "/orgs/{orgId}/loyalty").callers(Callers::DEPLOYMENT);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Read the loyalty settings";
    const DESCRIPTION: &'static str = "";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::LoyaltyNotSet];
    const METRICS: &'static [Metric] = &[];

    type Request = OrgRequest;
    type Answer = LoyaltyView;
}

impl Handler for GetLoyalty {
    async fn handle(context: &Context, request: OrgRequest) -> Result<Reply<LoyaltyView>, Failure> {
        let org = context.org_versioned(&request.org_id).await?;
        let loyalty = org.value.loyalty.ok_or(Rejection::LoyaltyNotSet)?;
        Ok(Reply::done(LoyaltyView::from(&loyalty.settings)))
    }
}
