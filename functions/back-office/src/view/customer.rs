//! A customer as answers show them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::{
    churn::{
        risk::{Probability, RiskLevel},
        score::{ChurnSource, Prediction},
    },
    customer::{Customer, CustomerProfile},
    ids::{CustomerId, OrgId},
    money::Money,
    org::Org,
    points::Points,
    segment::{Segment, segment_at},
    text::SingleLine,
    tier, time,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView {
    org_id: OrgId,
    customer_id: CustomerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<SingleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<SingleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<SingleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<SingleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    equity_status: Option<bool>,
    points: Points,
    lifetime_value: Money,
    order_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_order_value: Option<Money>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    first_order_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    last_order_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<SingleLine>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    tier_updated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_progress: Option<u8>,
    pub(crate) segment: Segment,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_since_last_order: Option<u32>,
    #[serde(flatten)]
    churn: Option<ChurnView>,
}

/// The last prediction of a customer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChurnView {
    churn_probability: Probability,
    churn_risk_level: RiskLevel,
    churn_reasoning: SingleLine,
    churn_source: ChurnSource,
    #[serde(serialize_with = "time::serialize")]
    churn_predicted_at: DateTime<Utc>,
}

impl From<Prediction> for ChurnView {
    fn from(prediction: Prediction) -> Self {
        Self {
            churn_risk_level: prediction.level(),
            churn_probability: prediction.probability,
            churn_reasoning: prediction.reasoning,
            churn_source: prediction.source,
            churn_predicted_at: prediction.at,
        }
    }
}

impl CustomerView {
    /// The customer at `now`. A customer without a tier is shown in the lowest tier, if the org has loyalty settings.
    pub(crate) fn new(org: &Org, customer: Customer, now: DateTime<Utc>) -> Self {
        let settings = org.loyalty.as_ref().map(|loyalty| &loyalty.settings);
        let tier = settings.map(|settings| tier::held_tier(&customer, settings).clone());
        let progress = settings.zip(tier.as_ref());
        let CustomerProfile { first_name, last_name, email, phone, equity_status } = customer.profile.clone();
        Self {
            first_name,
            last_name,
            email,
            phone,
            equity_status,
            org_id: org.id.clone(),
            points: customer.points,
            lifetime_value: customer.lifetime_value,
            order_count: customer.order_count(),
            average_order_value: customer.average_order_value().map(|value| org.profile.currency.floor(value)),
            first_order_at: customer.orders.as_ref().map(|orders| orders.first_at),
            last_order_at: customer.last_order_at(),
            tier_updated_at: customer.held_tier.as_ref().map(|held_tier| held_tier.since),
            tier_progress: progress
                .and_then(|(settings, tier)| tier::progress_percent(settings, tier, customer.lifetime_value)),
            tier,
            segment: segment_at(customer.orders.as_ref(), customer.lifetime_value, now),
            days_since_last_order: customer.last_order_at().map(|last| time::days_between(last, now)),
            churn: customer.churn.map(ChurnView::from),
            customer_id: customer.id,
        }
    }
}
