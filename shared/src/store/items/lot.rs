//! The stored form of points with dates, and of holds. Instants are milliseconds since 1970, which take fewer bytes than
//! texts: a customer may have two hundred lots.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::money;
use crate::domain::{
    ids::OrderId,
    lots::{
        hold::Hold,
        lot::{Lot, LotDates},
    },
    points::Points,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct LotForm {
    points: Points,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    available_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct HoldForm {
    order_id: OrderId,
    value: i64,
    until: i64,
    lots: Vec<LotForm>,
}

fn instant(millis: i64) -> Result<DateTime<Utc>, &'static str> {
    DateTime::from_timestamp_millis(millis).ok_or("an instant out of range")
}

impl From<&Lot> for LotForm {
    fn from(Lot { points, dates }: &Lot) -> Self {
        let millis = |at: DateTime<Utc>| at.timestamp_millis();
        Self { points: *points, available_at: dates.available_at.map(millis), expires_at: dates.expires_at.map(millis) }
    }
}

impl TryFrom<LotForm> for Lot {
    type Error = &'static str;

    fn try_from(form: LotForm) -> Result<Self, Self::Error> {
        let dates = LotDates {
            available_at: form.available_at.map(instant).transpose()?,
            expires_at: form.expires_at.map(instant).transpose()?,
        };
        Self::new(form.points, dates).ok_or("a lot without points")
    }
}

/// The lots that some forms describe.
pub(in crate::store) fn lots(forms: Vec<LotForm>) -> Result<Vec<Lot>, &'static str> {
    forms.into_iter().map(Lot::try_from).collect()
}

impl From<&Hold> for HoldForm {
    fn from(hold: &Hold) -> Self {
        Self {
            order_id: hold.order.clone(),
            value: hold.value.minor(),
            until: hold.until.timestamp_millis(),
            lots: hold.lots.iter().map(LotForm::from).collect(),
        }
    }
}

impl TryFrom<HoldForm> for Hold {
    type Error = &'static str;

    fn try_from(form: HoldForm) -> Result<Self, Self::Error> {
        Ok(Self {
            order: form.order_id,
            value: money(form.value)?,
            until: instant(form.until)?,
            lots: lots(form.lots)?,
        })
    }
}
