//! The stored form of a closed day of an org.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::values::money;
use crate::{
    domain::{
        liability::{AccountTotals, ClosedDay, DayChanges},
        points::Points,
        time,
    },
    store::{attributes::Item, rows::Unread},
};

/// The attribute of [`ClosedDay::counted`].
pub(in crate::store) const COUNTED: &str = "counted";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct ClosedDayForm {
    date: NaiveDate,
    earned: Points,
    redeemed: Points,
    expired: Points,
    reversed: Points,
    returned: Points,
    restored: Points,
    adjusted: Points,
    late: Points,
    outstanding: Points,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<AccountTotalsForm>,
    value: i64,
    counted: Points,
    #[serde(serialize_with = "time::serialize")]
    closed_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountTotalsForm {
    pending: Points,
    held: Points,
    expiring_within_30_days: Points,
}

impl From<&ClosedDay> for ClosedDayForm {
    fn from(day: &ClosedDay) -> Self {
        let ClosedDay { date, changes, late, outstanding, found, value, counted, closed_at } = *day;
        let DayChanges { earned, redeemed, expired, reversed, returned, restored, adjusted } = changes;
        let found = found.map(|AccountTotals { pending, held, expiring_within_30_days }| AccountTotalsForm {
            pending,
            held,
            expiring_within_30_days,
        });
        let value = value.minor();
        Self {
            date,
            earned,
            redeemed,
            expired,
            reversed,
            returned,
            restored,
            adjusted,
            late,
            outstanding,
            found,
            value,
            counted,
            closed_at,
        }
    }
}

impl TryFrom<ClosedDayForm> for ClosedDay {
    type Error = &'static str;

    fn try_from(form: ClosedDayForm) -> Result<Self, Self::Error> {
        let ClosedDayForm { date, late, outstanding, counted, closed_at, .. } = form;
        let changes = DayChanges {
            earned: form.earned,
            redeemed: form.redeemed,
            expired: form.expired,
            reversed: form.reversed,
            returned: form.returned,
            restored: form.restored,
            adjusted: form.adjusted,
        };
        let found = form.found.map(|AccountTotalsForm { pending, held, expiring_within_30_days }| AccountTotals {
            pending,
            held,
            expiring_within_30_days,
        });
        Ok(Self { date, changes, late, outstanding, found, value: money(form.value)?, counted, closed_at })
    }
}

/// Describes a record that cannot be read.
pub(in crate::store) fn unread_day(item: &Item) -> Unread {
    Unread::new(item, None, "day", "date")
}
