//! What Claude is told of a customer: figures, and nothing that says who somebody is.

use serde::Serialize;
use shared::domain::churn::{features::Features, risk::Probability};

/// One customer's figures. There is no place in it for a name, an address, a number to call or an id; the tier's name is
/// the shop's, not the customer's.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaudeInput {
    /// What is known of the customer.
    #[serde(flatten)]
    pub features: Features,
    /// What the statistical model says: how likely no order in the horizon is.
    pub statistical_probability: Probability,
}
