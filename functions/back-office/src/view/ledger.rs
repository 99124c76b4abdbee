//! An entry of a ledger as answers show it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::{
    ids::{AdjustmentId, OrderId, RefundId},
    ledger::{Entry, EntryKind},
    money::Money,
    points::Points,
    text::SingleLine,
    tier::{TierCause, TierChange},
    time,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryView {
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    points: Points,
    balance: Points,
    kind: &'static str,
    #[serde(flatten)]
    details: EntryDetails,
}

/// The fields that depend on the kind of the entry. A kind has only the fields that apply to it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<SingleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<SingleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<TierCause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjustment_id: Option<AdjustmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<SingleLine>,
}

impl From<Entry> for EntryView {
    fn from(Entry { at, points, balance, kind }: Entry) -> Self {
        Self { at, points, balance, kind: kind.name(), details: kind.into() }
    }
}

impl From<EntryKind> for EntryDetails {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::PointsEarned { order_id, order_total } => {
                Self { order_id: Some(order_id), order_total: Some(order_total), ..Self::default() }
            }
            EntryKind::PointsReversed { order_id, refund_id, refund_total }
            | EntryKind::PointsRestored { order_id, refund_id, refund_total } => Self {
                order_id: Some(order_id),
                refund_id: Some(refund_id),
                refund_total: Some(refund_total),
                ..Self::default()
            },
            EntryKind::PointsRedeemed { order_id, order_total, value } => {
                Self { order_id: Some(order_id), order_total: Some(order_total), value: Some(value), ..Self::default() }
            }
            EntryKind::PointsReturned { order_id } => Self { order_id: Some(order_id), ..Self::default() },
            EntryKind::PointsAdjusted { adjustment_id, reason } => {
                Self { adjustment_id: Some(adjustment_id), reason: Some(reason), ..Self::default() }
            }
            EntryKind::TierChanged { change: TierChange { from, to, cause }, order_id } => {
                Self { from: Some(from), to: Some(to), cause: Some(cause), order_id, ..Self::default() }
            }
        }
    }
}
