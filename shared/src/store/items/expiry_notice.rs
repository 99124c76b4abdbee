//! The stored form of a notice that points expire soon.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::domain::{
    lots::notice::{ExpiryNotice, NoticeLead},
    points::Points,
    time,
};

/// How long a notice is kept after its deadline. After the deadline no run gives the notice again.
const KEPT_AFTER_DEADLINE: TimeDelta = TimeDelta::days(7);

/// A notice. It is never read: its key prevents a second one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct ExpiryNoticeForm {
    points: Points,
    balance: Points,
    lead: NoticeLead,
    #[serde(serialize_with = "time::serialize")]
    deadline: DateTime<Utc>,
    #[serde(serialize_with = "time::serialize")]
    given_at: DateTime<Utc>,
    /// The time of the expiry of the item, in seconds since 1970.
    expires: i64,
}

impl From<&ExpiryNotice> for ExpiryNoticeForm {
    fn from(notice: &ExpiryNotice) -> Self {
        let ExpiryNotice { deadline, lead, points, balance, at } = *notice;
        let expires = (deadline + KEPT_AFTER_DEADLINE).timestamp();
        Self { points, balance, lead, deadline, given_at: at, expires }
    }
}
