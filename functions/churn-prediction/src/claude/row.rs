//! What Claude is told of a customer: figures, and nothing that says who somebody is.

use serde::Serialize;
use shared::domain::{money::Money, points::Points, segment::Segment, text::Line};

/// One customer's figures. There is no place in it for a name, an address, a number to call or an id; the tier's name is
/// the shop's, not the customer's.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Whole days since the last order.
    pub days_since_last_order: u32,
    /// How many orders there were.
    pub orders: u32,
    /// What they came to.
    pub lifetime_value: Money,
    /// What one came to, on average.
    pub average_order_value: Money,
    /// Whole days since the first order.
    pub days_since_first_order: u32,
    /// Orders a month.
    pub orders_per_month: f64,
    /// What the spacing of the recent orders does: `increasing`, `stable` or `declining` in frequency.
    pub trend: &'static str,
    /// The segment, now.
    pub segment: Segment,
    /// The name of the tier held.
    pub tier: Option<Line>,
    /// The balance.
    pub points: Points,
    /// What the statistical model says: how likely no order in the horizon is, 0 to 100.
    pub statistical_probability: f64,
}
