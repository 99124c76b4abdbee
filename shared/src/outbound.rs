//! Change events: the events that Regulars emits when something changes.
//!
//! The store writes a change event into the item that records the change. The first write of that item becomes an event
//! on the bus, through the pipe in `infra/template.yaml`. Old and new images of an item are never compared.

use chrono::{DateTime, Utc};
use strum::{EnumDiscriminants, EnumMessage, IntoStaticStr, VariantArray};

use crate::domain::{
    bundle::{
        status::BundleStatus,
        transition::{Transition, TransitionReason},
    },
    churn::{
        risk::RiskLevel,
        score::{ChurnSource, Prediction},
    },
    ids::{BundleId, CustomerId, OrgId},
    ledger::{Entry, EntryKind},
    lots::notice::ExpiryNotice,
    points::Points,
    text::SingleLine,
    tier::TierChange,
    time,
};

/// An event that Regulars emits. The name of the variant is the event's `detail-type`.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(ChangeEventName),
    doc = "The name of a change event.",
    derive(EnumMessage, Hash, IntoStaticStr, PartialOrd, Ord, VariantArray)
)]
pub enum ChangeEvent {
    /// An order earned points.
    PointsEarned(PointsChanged),
    /// A refund took points back.
    PointsReversed(PointsChanged),
    /// The void of a refund gave points back.
    PointsRestored(PointsChanged),
    /// An order was paid in part with points.
    PointsRedeemed(PointsChanged),
    /// The void of a points redemption gave points back.
    PointsReturned(PointsChanged),
    /// Points expired.
    PointsExpired(PointsChanged),
    /// Points of a customer expire soon.
    PointsExpiring {
        /// The customer.
        customer_id: CustomerId,
        /// The points, their deadline and the lead.
        notice: ExpiryNotice,
    },
    /// An operator gave or took points.
    PointsAdjusted(PointsChanged, SingleLine),
    /// The tier of a customer changed.
    TierChanged(PointsChanged, TierChange),
    /// The recorded status of a bundle changed.
    BundleStatusChanged {
        /// The bundle.
        bundle_id: BundleId,
        /// The status before.
        from: BundleStatus,
        /// The status after.
        to: BundleStatus,
        /// The reason for the change.
        reason: TransitionReason,
        /// The instant of the change.
        at: DateTime<Utc>,
    },
    /// The risk level of a customer changed, or was set for the first time.
    ChurnRiskChanged {
        /// The customer.
        customer_id: CustomerId,
        /// The level before, if there was one.
        from: Option<RiskLevel>,
        /// The level after.
        to: RiskLevel,
        /// The source of the prediction.
        source: ChurnSource,
        /// The instant of the prediction.
        at: DateTime<Utc>,
    },
}

/// A change of a customer's points. For a change of tier, the points are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsChanged {
    /// The customer.
    pub customer_id: CustomerId,
    /// The order, refund or adjustment that caused the change. Empty if time caused the change.
    pub reference: String,
    /// The change of the balance.
    pub points: Points,
    /// The balance after the change.
    pub balance: Points,
    /// The instant of the change.
    pub at: DateTime<Utc>,
}

impl ChangeEvent {
    /// The event of a new ledger entry.
    #[must_use]
    pub fn of_entry(customer: &CustomerId, entry: &Entry) -> Self {
        let change = PointsChanged {
            customer_id: customer.clone(),
            reference: entry.kind.reference().to_owned(),
            points: entry.points,
            balance: entry.balance,
            at: entry.at,
        };
        match &entry.kind {
            EntryKind::PointsEarned { .. } | EntryKind::EarnedByAmendment { .. } => Self::PointsEarned(change),
            EntryKind::PointsReversed { .. } | EntryKind::ReversedByAmendment { .. } => Self::PointsReversed(change),
            EntryKind::PointsRestored { .. } => Self::PointsRestored(change),
            EntryKind::PointsRedeemed { .. } => Self::PointsRedeemed(change),
            EntryKind::PointsReturned { .. } => Self::PointsReturned(change),
            EntryKind::PointsExpired { .. } => Self::PointsExpired(change),
            EntryKind::PointsAdjusted { reason, .. } => Self::PointsAdjusted(change, reason.clone()),
            EntryKind::TierChanged { change: tier_change, .. } => Self::TierChanged(change, tier_change.clone()),
        }
    }

    /// The event of a transition. A transition that changes only the desired state emits no event.
    #[must_use]
    pub fn of_transition(bundle: &BundleId, transition: &Transition) -> Option<Self> {
        let Transition { from, to, reason, at, .. } = *transition;
        let bundle_id = bundle.clone();
        (from != to).then_some(Self::BundleStatusChanged { bundle_id, from, to, reason, at })
    }

    /// The event of a prediction. A prediction of the same risk level as the one before emits no event.
    #[must_use]
    pub fn of_prediction(customer: &CustomerId, before: Option<&Prediction>, prediction: &Prediction) -> Option<Self> {
        let (from, to) = (before.map(Prediction::level), prediction.level());
        let (customer_id, source, at) = (customer.clone(), prediction.source, prediction.at);
        (from != Some(to)).then_some(Self::ChurnRiskChanged { customer_id, from, to, source, at })
    }

    /// The event's `detail-type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        ChangeEventName::from(self).name()
    }

    /// The event's `detail`.
    #[must_use]
    pub fn detail(&self, org: &OrgId) -> EventDetail {
        let detail = EventDetail { org_id: org.to_string(), ..EventDetail::default() };
        match self {
            Self::PointsEarned(change)
            | Self::PointsReversed(change)
            | Self::PointsRestored(change)
            | Self::PointsRedeemed(change)
            | Self::PointsReturned(change)
            | Self::PointsExpired(change) => detail.with_points(change),
            Self::PointsExpiring { customer_id, notice: ExpiryNotice { deadline, lead, points, balance, at } } => {
                EventDetail {
                    customer_id: customer_id.to_string(),
                    at: time::text(*at),
                    points: points.0.to_string(),
                    balance: balance.0.to_string(),
                    to: time::text(*deadline),
                    cause: lead.name().to_owned(),
                    ..detail
                }
            }
            Self::PointsAdjusted(change, reason) => {
                EventDetail { cause: reason.as_str().to_owned(), ..detail.with_points(change) }
            }
            Self::TierChanged(change, TierChange { from, to, cause }) => EventDetail {
                from: from.as_str().to_owned(),
                to: to.as_str().to_owned(),
                cause: cause.name().to_owned(),
                ..detail.with_points(change)
            },
            Self::BundleStatusChanged { bundle_id, from, to, reason, at } => EventDetail {
                bundle_id: bundle_id.to_string(),
                at: time::text(*at),
                from: from.name().to_owned(),
                to: to.name().to_owned(),
                cause: reason.name().to_owned(),
                ..detail
            },
            Self::ChurnRiskChanged { customer_id, from, to, source, at } => EventDetail {
                customer_id: customer_id.to_string(),
                at: time::text(*at),
                from: from.map_or("", RiskLevel::name).to_owned(),
                to: to.name().to_owned(),
                cause: source.name().to_owned(),
                ..detail
            },
        }
    }
}

impl ChangeEventName {
    /// The event's `detail-type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The `detail` of a change event. Every event has every field, and every field is a text. An empty text means a
/// missing value. The pipe fills in the fields by name, and can neither omit a field nor convert a text to a number.
#[declare::answer]
#[derive(Eq, Default)]
pub struct EventDetail {
    /// The org.
    pub org_id: String,
    /// The customer.
    pub customer_id: String,
    /// The bundle.
    pub bundle_id: String,
    /// The order, refund or adjustment that caused the change.
    pub reference: String,
    /// The instant of the change, as RFC 3339 in UTC with three decimals.
    pub at: String,
    /// The change of the balance. Of a notice, the points that expire.
    pub points: String,
    /// The balance after the change.
    pub balance: String,
    /// The tier, status or risk level before.
    pub from: String,
    /// The tier, status or risk level after. Of a notice, the instant at which the points expire.
    pub to: String,
    /// The cause of the change, by its name in answers. Of a notice, how long before the deadline it is given.
    pub cause: String,
}

impl EventDetail {
    fn with_points(self, change: &PointsChanged) -> Self {
        let PointsChanged { customer_id, reference, points, balance, at } = change;
        Self {
            customer_id: customer_id.to_string(),
            reference: reference.clone(),
            at: time::text(*at),
            points: points.0.to_string(),
            balance: balance.0.to_string(),
            ..self
        }
    }
}
