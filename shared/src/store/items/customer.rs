//! The stored form of a customer.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    lot::{HoldForm, LotForm, lots},
    prediction::CustomerPredictionForm,
    values::{if_known, money},
};
use crate::domain::{
    contact::{Contact, ContactKind},
    customer::{Customer, CustomerProfile, Erasure, HeldTier},
    ids::CustomerId,
    lookups::FoundBy,
    lots::{account::PointsAccount, hold::Hold, lot::LotDates},
    orders::OrderHistory,
    points::Points,
    text::SingleLine,
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct CustomerForm {
    customer_id: CustomerId,
    #[serde(rename = "person")]
    profile: ProfileForm,
    points: Points,
    /// Absent if all points have no dates and nothing is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lots: Option<Vec<LotForm>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holds: Vec<HoldForm>,
    /// Absent if there is none, or if nothing is held: the balance is then the debt.
    #[serde(default, skip_serializing_if = "is_zero")]
    debt: Points,
    lifetime_value: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    orders: Option<OrderHistoryForm>,
    #[serde(rename = "standing", default, skip_serializing_if = "Option::is_none")]
    held_tier: Option<HeldTierForm>,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    churn: Option<CustomerPredictionForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erasure: Option<ErasureForm>,
    /// Absent if the customer is found by nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found_by: Option<FoundByForm>,
    version: u64,
}

#[derive(Serialize, Deserialize, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
struct FoundByForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl From<&FoundBy> for FoundByForm {
    fn from(FoundBy { contacts, name }: &FoundBy) -> Self {
        let value = |kind| contacts.iter().find(|contact| contact.kind == kind).map(|contact| contact.value.clone());
        Self {
            phone: value(ContactKind::Phone),
            email: value(ContactKind::Email),
            card_number: value(ContactKind::CardNumber),
            name: name.clone(),
        }
    }
}

impl From<FoundByForm> for FoundBy {
    fn from(FoundByForm { phone, email, card_number, name }: FoundByForm) -> Self {
        let values = [(ContactKind::Phone, phone), (ContactKind::Email, email), (ContactKind::CardNumber, card_number)];
        let contacts = values.into_iter().filter_map(|(kind, value)| Some(Contact { kind, value: value? }));
        Self { contacts: contacts.collect(), name }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErasureForm {
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    #[serde(default)]
    is_over: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_name: Option<SingleLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_name: Option<SingleLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<SingleLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<SingleLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card_number: Option<SingleLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equity_status: Option<bool>,
}

impl From<CustomerProfile> for ProfileForm {
    fn from(
        CustomerProfile { first_name, last_name, email, phone, card_number, equity_status }: CustomerProfile,
    ) -> Self {
        Self { first_name, last_name, email, phone, card_number, equity_status }
    }
}

impl From<ProfileForm> for CustomerProfile {
    fn from(ProfileForm { first_name, last_name, email, phone, card_number, equity_status }: ProfileForm) -> Self {
        Self { first_name, last_name, email, phone, card_number, equity_status }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderHistoryForm {
    count: NonZeroU32,
    #[serde(serialize_with = "time::serialize")]
    first_at: DateTime<Utc>,
    #[serde(serialize_with = "time::serialize")]
    last_at: DateTime<Utc>,
    /// Absent from older items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recent: Option<RecentForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecentForm {
    #[serde(serialize_with = "time::serialize_all")]
    at: Vec<DateTime<Utc>>,
    earlier_days: u32,
}

impl From<&OrderHistory> for OrderHistoryForm {
    fn from(orders: &OrderHistory) -> Self {
        let OrderHistory { count, first_at, last_at, recent, earlier_days } = orders.clone();
        Self { count, first_at, last_at, recent: Some(RecentForm { at: recent, earlier_days }) }
    }
}

impl From<OrderHistoryForm> for OrderHistory {
    fn from(OrderHistoryForm { count, first_at, last_at, recent }: OrderHistoryForm) -> Self {
        match recent {
            Some(RecentForm { at, earlier_days }) => Self { count, first_at, last_at, recent: at, earlier_days },
            None => Self::dated(count, first_at, last_at),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeldTierForm {
    tier: SingleLine,
    #[serde(serialize_with = "time::serialize")]
    since: DateTime<Utc>,
    #[serde(rename = "tierRules")]
    tier_rules_version: u64,
}

impl From<HeldTier> for HeldTierForm {
    fn from(HeldTier { tier, since, tier_rules_version }: HeldTier) -> Self {
        Self { tier, since, tier_rules_version }
    }
}

impl From<HeldTierForm> for HeldTier {
    fn from(HeldTierForm { tier, since, tier_rules_version }: HeldTierForm) -> Self {
        Self { tier, since, tier_rules_version }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(points: &Points) -> bool {
    *points == Points::ZERO
}

/// Whether an account says more than its balance.
fn has_dates(account: &PointsAccount) -> bool {
    account.lots().iter().any(|lot| lot.dates != LotDates::NONE) || !account.holds().is_empty()
}

impl CustomerForm {
    pub(in crate::store) fn new(customer: &Customer, version: u64) -> Self {
        let held_tier = customer.held_tier.clone();
        Self {
            customer_id: customer.id.clone(),
            profile: customer.profile.clone().into(),
            points: customer.points(),
            lots: has_dates(&customer.account).then(|| customer.account.lots().iter().map(LotForm::from).collect()),
            holds: customer.account.holds().iter().map(HoldForm::from).collect(),
            debt: if customer.account.holds().is_empty() { Points::ZERO } else { customer.account.debt() },
            lifetime_value: customer.lifetime_value.minor(),
            orders: customer.orders.as_ref().map(OrderHistoryForm::from),
            held_tier: held_tier.map(HeldTierForm::from),
            churn: customer.churn.as_ref().map(CustomerPredictionForm::from),
            erasure: customer.erasure.map(|Erasure { at, is_over }| ErasureForm { at, is_over }),
            found_by: Some(FoundByForm::from(&customer.found_by)).filter(|form| *form != FoundByForm::default()),
            version,
        }
    }
}

impl TryFrom<CustomerForm> for (Customer, u64) {
    type Error = &'static str;

    fn try_from(form: CustomerForm) -> Result<Self, Self::Error> {
        let holds: Vec<Hold> = form.holds.into_iter().map(Hold::try_from).collect::<Result<_, _>>()?;
        // What the lots and the holds do not explain are points without dates, or a debt.
        let account = PointsAccount::restored(lots(form.lots.unwrap_or_default())?, form.debt, holds, form.points);
        let value = Customer {
            id: form.customer_id,
            profile: form.profile.into(),
            account,
            lifetime_value: money(form.lifetime_value)?,
            orders: form.orders.map(OrderHistory::from),
            held_tier: form.held_tier.map(HeldTier::from),
            churn: form.churn.map(TryInto::try_into).transpose()?,
            erasure: form.erasure.map(|ErasureForm { at, is_over }| Erasure { at, is_over }),
            found_by: form.found_by.map(FoundBy::from).unwrap_or_default(),
        };
        Ok((value, form.version))
    }
}
