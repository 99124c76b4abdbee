//! The stored form of an order header.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{ids::CustomerId, orders::OrderHeader};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct OrderHeaderForm {
    #[serde(default)]
    customer_id: Option<CustomerId>,
    #[serde(default)]
    bundles_voided: bool,
    #[serde(default)]
    cancelled_as_of: Option<DateTime<Utc>>,
}

impl TryFrom<OrderHeaderForm> for OrderHeader {
    type Error = &'static str;

    fn try_from(form: OrderHeaderForm) -> Result<Self, Self::Error> {
        let OrderHeaderForm { customer_id, bundles_voided, cancelled_as_of } = form;
        Ok(Self { owner: customer_id, bundles_voided, cancelled_as_of })
    }
}
