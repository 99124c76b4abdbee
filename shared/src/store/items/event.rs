//! The change event that an item emits: see [`crate::outbound`].

use serde::Serialize;

use crate::{
    domain::ids::OrgId,
    outbound::{ChangeEvent, EventDetail},
};

/// The name of the attribute that holds the event.
pub(in crate::store) const EVENT_ATTRIBUTE: &str = "event";

/// An event in an item.
#[derive(Serialize)]
pub(in crate::store) struct EventForm {
    name: &'static str,
    #[serde(flatten)]
    detail: EventDetail,
}

impl EventForm {
    pub(in crate::store) fn new(org: &OrgId, event: &ChangeEvent) -> Self {
        Self { name: event.name(), detail: event.detail(org) }
    }
}
