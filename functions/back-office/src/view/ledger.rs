//! An entry of a ledger as answers show it.

use chrono::{DateTime, Utc};
use shared::domain::{
    ids::{AdjustmentId, OrderId, RefundId},
    ledger::{AmendmentKind, Entry, EntryKind},
    money::Money,
    points::Points,
    text::SingleLine,
    tier::{TierCause, TierChange},
};

/// An entry of a customer's ledger.
#[declare::answer]
pub struct EntryView {
    /// When the entry was written.
    pub at: DateTime<Utc>,
    /// The change of the balance in points. It is 0 for a change of tier.
    pub points: Points,
    /// The balance in points after the change.
    pub balance: Points,
    /// The kind of the change.
    pub kind: EntryKindView,
    /// The fields that depend on the kind.
    #[serde(flatten)]
    pub details: EntryDetails,
}

/// The kind of an entry.
#[declare::answer]
pub enum EntryKindView {
    /// An order earned points, or more points than before.
    PointsEarned,
    /// A refund took points back, or an order came to less than before.
    PointsReversed,
    /// A refund was voided, and its points were given back.
    PointsRestored,
    /// An order was paid in part with points.
    PointsRedeemed,
    /// An order that was paid in part with points was cancelled.
    PointsReturned,
    /// Points expired.
    PointsExpired,
    /// An operator gave or took points.
    PointsAdjusted,
    /// The tier changed.
    TierChanged,
}

/// The fields that depend on the kind of the entry. A kind has only the fields that apply to it.
#[declare::answer]
#[derive(Default)]
pub struct EntryDetails {
    /// The tier before.
    pub from: Option<SingleLine>,
    /// The tier after.
    pub to: Option<SingleLine>,
    /// Why the tier changed.
    pub cause: Option<TierCause>,
    /// The order.
    pub order_id: Option<OrderId>,
    /// The total of the order, in the org's currency.
    pub order_total: Option<Money>,
    /// What happened to an order that was awarded, if it changed.
    pub amendment: Option<AmendmentKind>,
    /// The amount that the points took off the total, in the org's currency.
    pub value: Option<Money>,
    /// The refund.
    pub refund_id: Option<RefundId>,
    /// The refunded amount, in the org's currency.
    pub refund_total: Option<Money>,
    /// The adjustment.
    pub adjustment_id: Option<AdjustmentId>,
    /// The reason that the operator gave.
    pub reason: Option<SingleLine>,
}

impl From<Entry> for EntryView {
    fn from(Entry { at, points, balance, kind }: Entry) -> Self {
        Self { at, points, balance, kind: EntryKindView::from(&kind), details: kind.into() }
    }
}

impl From<&EntryKind> for EntryKindView {
    fn from(kind: &EntryKind) -> Self {
        match kind {
            EntryKind::PointsEarned { .. } | EntryKind::EarnedByAmendment { .. } => Self::PointsEarned,
            EntryKind::PointsReversed { .. } | EntryKind::ReversedByAmendment { .. } => Self::PointsReversed,
            EntryKind::PointsRestored { .. } => Self::PointsRestored,
            EntryKind::PointsRedeemed { .. } => Self::PointsRedeemed,
            EntryKind::PointsReturned { .. } => Self::PointsReturned,
            EntryKind::PointsExpired { .. } => Self::PointsExpired,
            EntryKind::PointsAdjusted { .. } => Self::PointsAdjusted,
            EntryKind::TierChanged { .. } => Self::TierChanged,
        }
    }
}

impl From<EntryKind> for EntryDetails {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::PointsEarned { order_id, order_total } => {
                Self { order_id: Some(order_id), order_total: Some(order_total), ..Self::default() }
            }
            EntryKind::EarnedByAmendment { order_id, order_total, amendment }
            | EntryKind::ReversedByAmendment { order_id, order_total, amendment } => Self {
                order_id: Some(order_id),
                order_total: Some(order_total),
                amendment: Some(amendment),
                ..Self::default()
            },
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
            EntryKind::PointsExpired { order_id } => Self { order_id, ..Self::default() },
            EntryKind::PointsAdjusted { adjustment_id, reason } => {
                Self { adjustment_id: Some(adjustment_id), reason: Some(reason), ..Self::default() }
            }
            EntryKind::TierChanged { change: TierChange { from, to, cause }, order_id } => {
                Self { from: Some(from), to: Some(to), cause: Some(cause), order_id, ..Self::default() }
            }
        }
    }
}
