//! What an order has to do with points.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{super::Versioned, money};
use crate::domain::{
    ids::{CustomerId, OrderId},
    points::Points,
    redemption::{Redemption, Spending, Void},
    time,
};

/// Without a redemption it is the mark of a void that came first.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct SpendingForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redemption: Option<RedemptionForm>,
    #[serde(default)]
    voided_before: bool,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedemptionForm {
    order_id: OrderId,
    customer_id: CustomerId,
    points: Points,
    order_total: i64,
    value: i64,
    balance: Points,
    #[serde(serialize_with = "time::serialize")]
    redeemed_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voided: Option<VoidForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VoidForm {
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    balance: Points,
}

impl SpendingForm {
    pub(in crate::store) fn new(redemption: Option<&Redemption>, version: u64) -> Self {
        let redemption = redemption.cloned().map(|redemption| RedemptionForm {
            order_id: redemption.order,
            customer_id: redemption.customer,
            points: redemption.points,
            order_total: redemption.order_total.minor(),
            value: redemption.value.minor(),
            balance: redemption.balance,
            redeemed_at: redemption.redeemed_at,
            voided: redemption.voided.map(|Void { at, balance }| VoidForm { at, balance }),
        });
        let voided_before = redemption.is_none();
        Self { redemption, voided_before, version }
    }
}

impl TryFrom<SpendingForm> for Versioned<Spending> {
    type Error = &'static str;

    fn try_from(SpendingForm { redemption, voided_before, version }: SpendingForm) -> Result<Self, Self::Error> {
        let Some(form) = redemption else {
            if !voided_before {
                return Err("neither a redemption nor the mark of a void");
            }
            return Ok(Self { value: Spending::VoidedBefore, version });
        };
        let redemption = Redemption {
            order: form.order_id,
            customer: form.customer_id,
            points: form.points,
            order_total: money(form.order_total)?,
            value: money(form.value)?,
            balance: form.balance,
            redeemed_at: form.redeemed_at,
            voided: form.voided.map(|VoidForm { at, balance }| Void { at, balance }),
        };
        Ok(Self { value: Spending::Redeemed(redemption), version })
    }
}
