//! What an item tells the outside, if it does: an item that is written for the first time with an attribute `event` becomes
//! an event on the bus, by the pipe in `infra/template.yaml`. Nothing compares old and new images.
//!
//! Every event has the same fields and each is a text, empty where there is nothing to say: the pipe fills them in by name,
//! and can neither leave one out nor make a number of a text.

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

/// The attribute.
pub(in crate::store) const EVENT_ATTRIBUTE: &str = "event";

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct EventForm {
    name: &'static str,
    org_id: String,
    customer_id: String,
    bundle_id: String,
    /// The order, refund or adjustment behind it.
    reference: String,
    at: String,
    points: String,
    balance: String,
    from: String,
    to: String,
    cause: Cause,
}

/// Why, in the words that answers use.
#[derive(Serialize)]
#[serde(untagged)]
enum Cause {
    Nothing(&'static str),
    Tier(TierCause),
    Adjustment(SingleLine),
    Bundle(TransitionReason),
    Churn(ChurnSource),
}

impl Default for Cause {
    fn default() -> Self {
        Self::Nothing("")
    }
}

impl EventForm {
    /// A new entry of a customer's ledger.
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

    /// A change of a bundle's status; what the operator wants may change without one.
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

    /// A prediction, if it puts a customer at another risk than the one before; the first does.
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

const fn name(what: &EntryKind) -> &'static str {
    match what {
        EntryKind::PointsEarned { .. } => "PointsEarned",
        EntryKind::PointsReversed { .. } => "PointsReversed",
        EntryKind::PointsRestored { .. } => "PointsRestored",
        EntryKind::PointsRedeemed { .. } => "PointsRedeemed",
        EntryKind::PointsReturned { .. } => "PointsReturned",
        EntryKind::PointsAdjusted { .. } => "PointsAdjusted",
        EntryKind::TierChanged { .. } => "TierChanged",
    }
}
