//! The stored form of the mark of an org's time zone change.

use serde::{Deserialize, Serialize};

use crate::domain::zone::Zone;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct TimeZoneChangeForm {
    zone: String,
}

impl TimeZoneChangeForm {
    pub(in crate::store) fn new(zone: Zone) -> Self {
        Self { zone: zone.name().into() }
    }
}
