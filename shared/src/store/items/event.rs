//! The event that an item emits. The first write of an item with an attribute `event` becomes an event on the bus,
//! through the pipe in `infra/template.yaml`. Nothing compares old and new images.
//!
//! Every event has the same fields. Every field is a text, and an empty text stands for a missing value. The pipe fills
//! the fields in by name: it can neither leave a field out nor convert a text to a number.

use serde::Serialize;

use crate::domain::{
    bundle::transition::{Transition, TransitionReason},
    churn::score::{ChurnSource, Prediction},
    ids::{BundleId, CustomerId, OrgId},
    ledger::{Entry, EntryKind},
    text::SingleLine,
    tier::TierCause,
    time,
};

/// The name of the attribute that holds the event.
pub(in crate::store) const EVENT_ATTRIBUTE: &str = "event";

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct EventForm {
    name: &'static str,
    org_id: String,
    customer_id: String,
    bundle_id: String,
    /// The order, refund or adjustment that caused the change.
    reference: String,
    at: String,
    points: String,
    balance: String,
    from: String,
    to: String,
    cause: Cause,
}

/// The cause of a change, as answers name it.
#[derive(Serialize)]
#[serde(untagged)]
enum Cause {
    Unnamed(&'static str),
    Tier(TierCause),
    Adjustment(SingleLine),
    Bundle(TransitionReason),
    Churn(ChurnSource),
}

impl Default for Cause {
    fn default() -> Self {
        Self::Unnamed("")
    }
}

impl EventForm {
    /// The event of a new ledger entry.
    pub(in crate::store) fn of_entry(org: &OrgId, customer: &CustomerId, entry: &Entry) -> Self {
        let (from, to, cause) = match &entry.kind {
            EntryKind::TierChanged { change, .. } => {
                (change.from.as_str(), change.to.as_str(), Cause::Tier(change.cause))
            }
            EntryKind::PointsAdjusted { reason, .. } => ("", "", Cause::Adjustment(reason.clone())),
            EntryKind::PointsEarned { .. }
            | EntryKind::PointsReversed { .. }
            | EntryKind::PointsRestored { .. }
            | EntryKind::PointsRedeemed { .. }
            | EntryKind::PointsReturned { .. } => ("", "", Cause::default()),
        };
        Self {
            name: name(&entry.kind),
            org_id: org.to_string(),
            customer_id: customer.to_string(),
            reference: entry.kind.reference().to_owned(),
            at: time::text(entry.at),
            points: entry.points.0.to_string(),
            balance: entry.balance.0.to_string(),
            from: from.to_owned(),
            to: to.to_owned(),
            cause,
            ..Self::default()
        }
    }

    /// The event of a transition. A transition that changes only the desired state emits no event.
    pub(in crate::store) fn of_transition(org: &OrgId, bundle: &BundleId, transition: &Transition) -> Option<Self> {
        (transition.from != transition.to).then(|| Self {
            name: "BundleStatusChanged",
            org_id: org.to_string(),
            bundle_id: bundle.to_string(),
            at: time::text(transition.at),
            from: transition.from.name().to_owned(),
            to: transition.to.name().to_owned(),
            cause: Cause::Bundle(transition.reason),
            ..Self::default()
        })
    }

    /// The event of a prediction. A prediction of the same risk level as the one before emits no event. The first
    /// prediction emits one.
    pub(in crate::store) fn of_prediction(
        org: &OrgId,
        customer: &CustomerId,
        before: Option<&Prediction>,
        prediction: &Prediction,
    ) -> Option<Self> {
        let (from, to) = (before.map(Prediction::level), prediction.level());
        (from != Some(to)).then(|| Self {
            name: "ChurnRiskChanged",
            org_id: org.to_string(),
            customer_id: customer.to_string(),
            at: time::text(prediction.at),
            from: from.map_or("", |from| from.name()).to_owned(),
            to: to.name().to_owned(),
            cause: Cause::Churn(prediction.source),
            ..Self::default()
        })
    }
}

const fn name(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::PointsEarned { .. } => "PointsEarned",
        EntryKind::PointsReversed { .. } => "PointsReversed",
        EntryKind::PointsRestored { .. } => "PointsRestored",
        EntryKind::PointsRedeemed { .. } => "PointsRedeemed",
        EntryKind::PointsReturned { .. } => "PointsReturned",
        EntryKind::PointsAdjusted { .. } => "PointsAdjusted",
        EntryKind::TierChanged { .. } => "TierChanged",
    }
}
