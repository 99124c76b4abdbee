//! A customer, the entries of the ledger, and the record of an adjustment.

use std::{collections::HashMap, num::NonZeroU32};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{
    super::{Item, Unread},
    churn::ChurnForm,
    if_known, money, unread,
};
use crate::domain::{
    customer::{Customer, CustomerProfile, HeldTier},
    earning::adjustment::Adjustment,
    ids::{AdjustmentId, CustomerId, OrderId, RefundId},
    ledger::{Entry, EntryKind},
    orders::OrderHistory,
    points::Points,
    text::SingleLine,
    tier::{TierCause, TierChange},
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct CustomerForm {
    customer_id: CustomerId,
    person: ProfileForm,
    points: Points,
    lifetime_value: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    orders: Option<OrderHistoryForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<HeldTierForm>,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    churn: Option<ChurnForm>,
    version: u64,
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
    equity_status: Option<bool>,
}

impl From<CustomerProfile> for ProfileForm {
    fn from(CustomerProfile { first_name, last_name, email, phone, equity_status }: CustomerProfile) -> Self {
        Self { first_name, last_name, email, phone, equity_status }
    }
}

impl From<ProfileForm> for CustomerProfile {
    fn from(ProfileForm { first_name, last_name, email, phone, equity_status }: ProfileForm) -> Self {
        Self { first_name, last_name, email, phone, equity_status }
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
    /// Absent from items that were written before these were kept.
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
    tier_rules: u64,
}

impl From<HeldTier> for HeldTierForm {
    fn from(HeldTier { tier, since, tier_rules_version }: HeldTier) -> Self {
        Self { tier, since, tier_rules: tier_rules_version }
    }
}

impl From<HeldTierForm> for HeldTier {
    fn from(HeldTierForm { tier, since, tier_rules }: HeldTierForm) -> Self {
        Self { tier, since, tier_rules_version: tier_rules }
    }
}

impl CustomerForm {
    pub(in crate::store) fn new(customer: &Customer, version: u64) -> Self {
        let held_tier = customer.held_tier.clone();
        Self {
            customer_id: customer.id.clone(),
            person: customer.profile.clone().into(),
            points: customer.points,
            lifetime_value: customer.lifetime_value.minor(),
            orders: customer.orders.as_ref().map(OrderHistoryForm::from),
            standing: held_tier.map(HeldTierForm::from),
            churn: customer.churn.as_ref().map(ChurnForm::from),
            version,
        }
    }
}

impl TryFrom<CustomerForm> for (Customer, u64) {
    type Error = &'static str;

    fn try_from(form: CustomerForm) -> Result<Self, Self::Error> {
        let value = Customer {
            id: form.customer_id,
            profile: form.person.into(),
            points: form.points,
            lifetime_value: money(form.lifetime_value)?,
            orders: form.orders.map(OrderHistory::from),
            held_tier: form.standing.map(HeldTier::from),
            churn: form.churn.map(TryInto::try_into).transpose()?,
        };
        Ok((value, form.version))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct EntryForm {
    #[serde(serialize_with = "time::serialize")]
    written_at: DateTime<Utc>,
    points: Points,
    balance: Points,
    #[serde(deserialize_with = "of_known_kind")]
    what: EntryKindForm,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
enum EntryKindForm {
    PointsEarned { order_id: OrderId, order_total: i64 },
    PointsReversed { order_id: OrderId, refund_id: RefundId, refund_total: i64 },
    PointsRestored { order_id: OrderId, refund_id: RefundId, refund_total: i64 },
    PointsRedeemed { order_id: OrderId, order_total: i64, value: i64 },
    PointsReturned { order_id: OrderId },
    PointsAdjusted { adjustment_id: AdjustmentId, reason: SingleLine },
    TierChanged { from: SingleLine, to: SingleLine, cause: TierCause, order_id: Option<OrderId> },
}

impl From<&Entry> for EntryForm {
    fn from(entry: &Entry) -> Self {
        let what = match entry.kind.clone() {
            EntryKind::PointsEarned { order_id, order_total } => {
                EntryKindForm::PointsEarned { order_id, order_total: order_total.minor() }
            }
            EntryKind::PointsReversed { order_id, refund_id, refund_total } => {
                EntryKindForm::PointsReversed { order_id, refund_id, refund_total: refund_total.minor() }
            }
            EntryKind::PointsRestored { order_id, refund_id, refund_total } => {
                EntryKindForm::PointsRestored { order_id, refund_id, refund_total: refund_total.minor() }
            }
            EntryKind::PointsRedeemed { order_id, order_total, value } => {
                let (order_total, value) = (order_total.minor(), value.minor());
                EntryKindForm::PointsRedeemed { order_id, order_total, value }
            }
            EntryKind::PointsReturned { order_id } => EntryKindForm::PointsReturned { order_id },
            EntryKind::PointsAdjusted { adjustment_id, reason } => {
                EntryKindForm::PointsAdjusted { adjustment_id, reason }
            }
            EntryKind::TierChanged { change: TierChange { from, to, cause }, order_id } => {
                EntryKindForm::TierChanged { from, to, cause, order_id }
            }
        };
        Self { written_at: entry.at, points: entry.points, balance: entry.balance, what }
    }
}

impl TryFrom<EntryForm> for Entry {
    type Error = &'static str;

    fn try_from(form: EntryForm) -> Result<Self, Self::Error> {
        let kind = match form.what {
            EntryKindForm::PointsEarned { order_id, order_total } => {
                EntryKind::PointsEarned { order_id, order_total: money(order_total)? }
            }
            EntryKindForm::PointsReversed { order_id, refund_id, refund_total } => {
                EntryKind::PointsReversed { order_id, refund_id, refund_total: money(refund_total)? }
            }
            EntryKindForm::PointsRestored { order_id, refund_id, refund_total } => {
                EntryKind::PointsRestored { order_id, refund_id, refund_total: money(refund_total)? }
            }
            EntryKindForm::PointsRedeemed { order_id, order_total, value } => {
                let (order_total, value) = (money(order_total)?, money(value)?);
                EntryKind::PointsRedeemed { order_id, order_total, value }
            }
            EntryKindForm::PointsReturned { order_id } => EntryKind::PointsReturned { order_id },
            EntryKindForm::PointsAdjusted { adjustment_id, reason } => {
                EntryKind::PointsAdjusted { adjustment_id, reason }
            }
            EntryKindForm::TierChanged { from, to, cause, order_id } => {
                EntryKind::TierChanged { change: TierChange { from, to, cause }, order_id }
            }
        };
        Ok(Self { at: form.written_at, points: form.points, balance: form.balance, kind })
    }
}

/// An entry of which all but what happened can be read is one of a newer version.
pub(in crate::store) fn unread_entry(item: &Item) -> Unread {
    let what = item.get("what").and_then(|what| what.as_m().ok());
    let kinds = what.into_iter().flatten().filter(|(_, value)| value.is_m());
    let kind = kinds.map(|(kind, _)| kind.clone()).min();
    unread(item, kind.filter(|_| item.contains_key("balance")), "entry", "writtenAt")
}

/// The one member of `what` that is a known kind. A newer version may add others.
fn of_known_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryKindForm, D::Error> {
    let members: HashMap<String, serde_json::Value> = HashMap::deserialize(deserializer)?;
    let known = members.into_iter().find_map(|(kind, what)| {
        let member = serde_json::Map::from_iter([(kind, what)]);
        EntryKindForm::deserialize(serde_json::Value::Object(member)).ok()
    });
    known.ok_or_else(|| D::Error::custom("it is of no known kind"))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct AdjustmentForm {
    adjustment_id: AdjustmentId,
    points: Points,
    balance: Points,
}

impl From<&Adjustment> for AdjustmentForm {
    fn from(adjustment: &Adjustment) -> Self {
        let Adjustment { id, points, balance } = adjustment.clone();
        Self { adjustment_id: id, points, balance }
    }
}

impl TryFrom<AdjustmentForm> for Adjustment {
    type Error = &'static str;

    fn try_from(AdjustmentForm { adjustment_id, points, balance }: AdjustmentForm) -> Result<Self, Self::Error> {
        Ok(Self { id: adjustment_id, points, balance })
    }
}
