//! The stored form of a ledger entry.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::values::money;
use crate::{
    domain::{
        ids::{AdjustmentId, OrderId, RefundId},
        ledger::{AmendmentKind, Entry, EntryKind},
        points::Points,
        text::SingleLine,
        tier::{TierCause, TierChange},
        time,
    },
    store::{attributes::Item, rows::Unread},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct EntryForm {
    #[serde(serialize_with = "time::serialize")]
    written_at: DateTime<Utc>,
    points: Points,
    balance: Points,
    #[serde(rename = "what", deserialize_with = "known_kind")]
    kind: EntryKindForm,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
enum EntryKindForm {
    PointsEarned {
        order_id: OrderId,
        order_total: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amendment: Option<AmendmentKind>,
    },
    PointsReversed(ReversalForm),
    PointsRestored {
        order_id: OrderId,
        refund_id: RefundId,
        refund_total: i64,
    },
    PointsRedeemed {
        order_id: OrderId,
        order_total: i64,
        value: i64,
    },
    PointsReturned {
        order_id: OrderId,
    },
    PointsExpired {
        order_id: Option<OrderId>,
    },
    PointsAdjusted {
        adjustment_id: AdjustmentId,
        reason: SingleLine,
    },
    TierChanged {
        from: SingleLine,
        to: SingleLine,
        cause: TierCause,
        order_id: Option<OrderId>,
    },
}

/// A reversal by a refund, or by an amendment.
#[derive(Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum ReversalForm {
    Refund { order_id: OrderId, refund_id: RefundId, refund_total: i64 },
    Amendment { order_id: OrderId, order_total: i64, amendment: AmendmentKind },
}

impl From<&Entry> for EntryForm {
    fn from(entry: &Entry) -> Self {
        let kind = match entry.kind.clone() {
            EntryKind::PointsEarned { order_id, order_total } => {
                EntryKindForm::PointsEarned { order_id, order_total: order_total.minor(), amendment: None }
            }
            EntryKind::EarnedByAmendment { order_id, order_total, amendment } => {
                let (order_total, amendment) = (order_total.minor(), Some(amendment));
                EntryKindForm::PointsEarned { order_id, order_total, amendment }
            }
            EntryKind::PointsReversed { order_id, refund_id, refund_total } => {
                let refund_total = refund_total.minor();
                EntryKindForm::PointsReversed(ReversalForm::Refund { order_id, refund_id, refund_total })
            }
            EntryKind::ReversedByAmendment { order_id, order_total, amendment } => {
                let order_total = order_total.minor();
                EntryKindForm::PointsReversed(ReversalForm::Amendment { order_id, order_total, amendment })
            }
            EntryKind::PointsRestored { order_id, refund_id, refund_total } => {
                EntryKindForm::PointsRestored { order_id, refund_id, refund_total: refund_total.minor() }
            }
            EntryKind::PointsRedeemed { order_id, order_total, value } => {
                let (order_total, value) = (order_total.minor(), value.minor());
                EntryKindForm::PointsRedeemed { order_id, order_total, value }
            }
            EntryKind::PointsReturned { order_id } => EntryKindForm::PointsReturned { order_id },
            EntryKind::PointsExpired { order_id } => EntryKindForm::PointsExpired { order_id },
            EntryKind::PointsAdjusted { adjustment_id, reason } => {
                EntryKindForm::PointsAdjusted { adjustment_id, reason }
            }
            EntryKind::TierChanged { change: TierChange { from, to, cause }, order_id } => {
                EntryKindForm::TierChanged { from, to, cause, order_id }
            }
        };
        Self { written_at: entry.at, points: entry.points, balance: entry.balance, kind }
    }
}

impl TryFrom<EntryForm> for Entry {
    type Error = &'static str;

    fn try_from(form: EntryForm) -> Result<Self, Self::Error> {
        let kind = match form.kind {
            EntryKindForm::PointsEarned { order_id, order_total, amendment: None } => {
                EntryKind::PointsEarned { order_id, order_total: money(order_total)? }
            }
            EntryKindForm::PointsEarned { order_id, order_total, amendment: Some(amendment) } => {
                EntryKind::EarnedByAmendment { order_id, order_total: money(order_total)?, amendment }
            }
            EntryKindForm::PointsReversed(ReversalForm::Refund { order_id, refund_id, refund_total }) => {
                EntryKind::PointsReversed { order_id, refund_id, refund_total: money(refund_total)? }
            }
            EntryKindForm::PointsReversed(ReversalForm::Amendment { order_id, order_total, amendment }) => {
                EntryKind::ReversedByAmendment { order_id, order_total: money(order_total)?, amendment }
            }
            EntryKindForm::PointsRestored { order_id, refund_id, refund_total } => {
                EntryKind::PointsRestored { order_id, refund_id, refund_total: money(refund_total)? }
            }
            EntryKindForm::PointsRedeemed { order_id, order_total, value } => {
                let (order_total, value) = (money(order_total)?, money(value)?);
                EntryKind::PointsRedeemed { order_id, order_total, value }
            }
            EntryKindForm::PointsReturned { order_id } => EntryKind::PointsReturned { order_id },
            EntryKindForm::PointsExpired { order_id } => EntryKind::PointsExpired { order_id },
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

/// Describes an entry that cannot be read. A newer release wrote the entry if it has a balance and names another kind.
pub(in crate::store) fn unread_entry(item: &Item) -> Unread {
    let members = item.get("what").and_then(|members| members.as_m().ok());
    let kinds = members.into_iter().flatten().filter(|(_, member)| member.is_m());
    let kind = kinds.map(|(kind, _)| kind.clone()).min();
    Unread::new(item, kind.filter(|_| item.contains_key("balance")), "entry", "writtenAt")
}

/// Reads the member of the stored map that is a known kind. A newer release may add other members.
fn known_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryKindForm, D::Error> {
    let members: HashMap<String, serde_json::Value> = HashMap::deserialize(deserializer)?;
    let known = members.into_iter().find_map(|member| {
        let form = serde_json::Map::from_iter([member]);
        EntryKindForm::deserialize(serde_json::Value::Object(form)).ok()
    });
    known.ok_or_else(|| D::Error::custom("the kind of the entry is unknown"))
}
