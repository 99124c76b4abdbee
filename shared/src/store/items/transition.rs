//! The stored form of a bundle transition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        bundle::{
            status::BundleStatus,
            terms::DesiredState,
            transition::{Transition, TransitionReason},
        },
        text::SingleLine,
        time,
    },
    store::{attributes::Item, rows::Unread},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct TransitionForm {
    from: BundleStatus,
    to: BundleStatus,
    reason: TransitionReason,
    #[serde(serialize_with = "time::serialize")]
    happened_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    desired_state: Option<DesiredState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<SingleLine>,
}

impl From<&Transition> for TransitionForm {
    fn from(transition: &Transition) -> Self {
        let Transition { from, to, reason, at, desired_state, note } = transition.clone();
        Self { from, to, reason, happened_at: at, desired_state, note }
    }
}

impl TryFrom<TransitionForm> for Transition {
    type Error = &'static str;

    fn try_from(form: TransitionForm) -> Result<Self, Self::Error> {
        let TransitionForm { from, to, reason, happened_at, desired_state, note } = form;
        Ok(Self { from, to, reason, at: happened_at, desired_state, note })
    }
}

/// Describes a transition that cannot be read. A newer release wrote the transition if it has two statuses and a
/// reason.
pub(in crate::store) fn unread_transition(item: &Item) -> Unread {
    #[derive(Deserialize)]
    struct NewerForm {
        #[serde(rename = "from")]
        _from: String,
        #[serde(rename = "to")]
        _to: String,
        reason: String,
    }
    let newer = serde_dynamo::from_item::<_, NewerForm>(item.clone()).ok();
    Unread::new(item, newer.map(|newer| newer.reason), "transition", "happenedAt")
}
