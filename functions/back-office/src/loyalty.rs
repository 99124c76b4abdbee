//! Loyalty settings of an org: replace, read.

use shared::{
    domain::{
        ids::OrgId,
        loyalty::{Loyalty, LoyaltySettings},
        money::Money,
        org::Org,
        rejection::Rejection,
    },
    failure::Failure,
    host::{Context, Reply, retry_conflicts},
    inbound::{Call, loyalty::LoyaltyFields},
    views::LoyaltyView,
};

use crate::orgs::OrgRequest;

pub(crate) async fn put(context: &Context, call: Call) -> Result<Reply, Failure> {
    let only_create = call.only_create;
    let LoyaltyFields { org_id, settings } = call.read()?;
    retry_conflicts(context.deadline, || replace(context, &org_id, &settings, only_create)).await
}

async fn replace(
    context: &Context,
    org_id: &OrgId,
    settings: &LoyaltySettings,
    only_create: bool,
) -> Result<Reply, Failure> {
    let current = context.org_versioned(org_id).await?;
    let before = current.value.loyalty.as_ref();
    check_amounts(&current.value, settings)?;
    if before.is_some() && only_create {
        return Err(Rejection::AlreadyExists.into());
    }
    let is_new = before.is_none();
    let loyalty = Some(Loyalty::replaced(before, settings.clone()));
    context.store.put_org(&Org { loyalty, ..current.value.clone() }, Some(&current)).await?;
    let view = LoyaltyView::from(settings);
    Ok(if is_new { Reply::created(&view) } else { Reply::ok(&view) })
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

pub(crate) async fn get(context: &Context, call: Call) -> Result<Reply, Failure> {
    let OrgRequest { org_id } = call.read()?;
    let org = context.org_versioned(&org_id).await?;
    let loyalty = org.value.loyalty.ok_or(Rejection::LoyaltyNotSet)?;
    Ok(Reply::ok(&LoyaltyView::from(&loyalty.settings)))
}
