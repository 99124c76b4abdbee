//! The stored form of a bundle redemption, and of a customer's number of redemptions of a bundle.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::money;
use crate::domain::{
    bundle::redemption::BundleRedemption,
    ids::{BundleId, CustomerId, OrderId},
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct BundleRedemptionForm {
    bundle_id: BundleId,
    order_id: OrderId,
    customer_id: CustomerId,
    #[serde(serialize_with = "time::serialize")]
    redeemed_at: DateTime<Utc>,
    savings: i64,
    count: u64,
    limit_reached: bool,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    voided_at: Option<DateTime<Utc>>,
}

impl From<&BundleRedemption> for BundleRedemptionForm {
    fn from(redemption: &BundleRedemption) -> Self {
        let redemption = redemption.clone();
        Self {
            bundle_id: redemption.bundle,
            order_id: redemption.order,
            customer_id: redemption.customer,
            redeemed_at: redemption.redeemed_at,
            savings: redemption.savings.minor(),
            count: redemption.count,
            limit_reached: redemption.limit_reached,
            voided_at: redemption.voided_at,
        }
    }
}

impl TryFrom<BundleRedemptionForm> for BundleRedemption {
    type Error = &'static str;

    fn try_from(form: BundleRedemptionForm) -> Result<Self, Self::Error> {
        Ok(Self {
            bundle: form.bundle_id,
            order: form.order_id,
            customer: form.customer_id,
            redeemed_at: form.redeemed_at,
            savings: money(form.savings)?,
            count: form.count,
            limit_reached: form.limit_reached,
            voided_at: form.voided_at,
        })
    }
}

/// A customer's number of redemptions of a bundle.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct CustomerCountForm {
    redemptions: u64,
}

impl TryFrom<CustomerCountForm> for u64 {
    type Error = &'static str;

    fn try_from(form: CustomerCountForm) -> Result<Self, Self::Error> {
        Ok(form.redemptions)
    }
}
