//! The stored form of an order header.

use serde::{Deserialize, Serialize};

use crate::domain::{ids::CustomerId, orders::OrderHeader};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct OrderHeaderForm {
    #[serde(default)]
    customer_id: Option<CustomerId>,
    #[serde(default)]
    bundles_voided: bool,
}

impl TryFrom<OrderHeaderForm> for OrderHeader {
    type Error = &'static str;

    fn try_from(OrderHeaderForm { customer_id, bundles_voided }: OrderHeaderForm) -> Result<Self, Self::Error> {
        Ok(Self { owner: customer_id, bundles_voided })
    }
}
