//! The figures of one customer as a request to Claude contains them.

use serde::Serialize;
use shared::domain::{
    churn::{
        features::{Features, Trend},
        risk::Probability,
    },
    decimal::TwoPlaceDecimal,
    money::Money,
    points::Points,
    segment::Segment,
    text::SingleLine,
};

/// One customer's figures. The type has no field for a name, an address, a telephone number or an id. The shop sets the
/// name of the tier, not the customer.
///
/// Claude reads the field names, so the order and the names are part of the prompt.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaudeInput {
    days_since_last_order: u32,
    orders: u32,
    lifetime_value: Money,
    average_order_value: Money,
    days_since_first_order: u32,
    orders_per_month: TwoPlaceDecimal,
    trend: Trend,
    segment: Segment,
    tier: Option<SingleLine>,
    points: Points,
    statistical_probability: Probability,
}

impl ClaudeInput {
    /// The figures of a customer, and the statistical model's probability of no order within the horizon.
    #[must_use]
    pub fn new(features: &Features, statistical_probability: Probability) -> Self {
        Self {
            days_since_last_order: features.days_since_last_order,
            orders: features.orders,
            lifetime_value: features.lifetime_value,
            average_order_value: features.average_order_value,
            days_since_first_order: features.days_since_first_order,
            orders_per_month: features.orders_per_month,
            trend: features.trend,
            segment: features.segment,
            tier: features.tier.clone(),
            points: features.points,
            statistical_probability,
        }
    }
}
