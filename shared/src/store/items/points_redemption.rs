//! The stored form of a points redemption.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    lot::{LotForm, lots},
    values::money,
};
use crate::domain::{
    ids::{CustomerId, OrderId},
    lots::lot::{Lot, LotDates},
    points::Points,
    points_redemption::{PointsRedemption, PointsVoid},
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct PointsRedemptionForm {
    order_id: OrderId,
    customer_id: CustomerId,
    points: Points,
    order_total: i64,
    value: i64,
    balance: Points,
    /// Absent from redemptions of points without dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lots: Vec<LotForm>,
    #[serde(serialize_with = "time::serialize")]
    redeemed_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voided: Option<PointsVoidForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PointsVoidForm {
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    balance: Points,
}

impl From<&PointsRedemption> for PointsRedemptionForm {
    fn from(redemption: &PointsRedemption) -> Self {
        let redemption = redemption.clone();
        let has_dates = redemption.lots.iter().any(|lot| lot.dates != LotDates::NONE);
        Self {
            order_id: redemption.order,
            customer_id: redemption.customer,
            points: redemption.points,
            order_total: redemption.order_total.minor(),
            value: redemption.value.minor(),
            balance: redemption.balance,
            lots: if has_dates { redemption.lots.iter().map(LotForm::from).collect() } else { Vec::new() },
            redeemed_at: redemption.redeemed_at,
            voided: redemption.voided.map(|PointsVoid { at, balance }| PointsVoidForm { at, balance }),
        }
    }
}

impl TryFrom<PointsRedemptionForm> for PointsRedemption {
    type Error = &'static str;

    fn try_from(form: PointsRedemptionForm) -> Result<Self, Self::Error> {
        let lots = match form.lots {
            forms if forms.is_empty() => Lot::new(form.points, LotDates::NONE).into_iter().collect(),
            forms => lots(forms)?,
        };
        Ok(Self {
            order: form.order_id,
            customer: form.customer_id,
            points: form.points,
            order_total: money(form.order_total)?,
            value: money(form.value)?,
            balance: form.balance,
            lots,
            redeemed_at: form.redeemed_at,
            voided: form.voided.map(|PointsVoidForm { at, balance }| PointsVoid { at, balance }),
        })
    }
}
