//! A customer as answers show them.

use chrono::{DateTime, Utc};
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

/// A customer.
#[declare::answer]
pub struct CustomerView {
    /// The org.
    pub org_id: OrgId,
    /// The id of the customer.
    pub customer_id: CustomerId,
    /// The first name.
    pub first_name: Option<SingleLine>,
    /// The last name.
    pub last_name: Option<SingleLine>,
    /// The e-mail address.
    pub email: Option<SingleLine>,
    /// The telephone number.
    pub phone: Option<SingleLine>,
    /// The number of the loyalty card.
    pub card_number: Option<SingleLine>,
    /// Whether the customer's orders earn with the equity multiplier.
    pub equity_status: Option<bool>,
    /// All points that the customer owns, with pending and held ones. Negative after a refund of points that were already
    /// spent.
    pub points: Points,
    /// The points that the customer can spend now.
    pub available_points: Points,
    /// The points that the customer can spend later.
    pub pending_points: Points,
    /// The points that checkouts have set aside.
    pub held_points: Points,
    /// The next three instants at which points expire. Held points are not among them.
    pub expiring_points: Vec<ExpiringPointsView>,
    /// The total paid for orders minus the total refunded, in the org's currency.
    pub lifetime_value: Money,
    /// The number of orders that are not fully refunded.
    pub order_count: u32,
    /// The lifetime value for each order, floored to what the org's currency can represent. Absent without orders.
    pub average_order_value: Option<Money>,
    /// When the first order was fulfilled.
    pub first_order_at: Option<DateTime<Utc>>,
    /// When the last order was fulfilled.
    pub last_order_at: Option<DateTime<Utc>>,
    /// The tier. Absent if the org has no loyalty settings.
    pub tier: Option<SingleLine>,
    /// When the tier last changed. Absent if the tier was never evaluated.
    pub tier_updated_at: Option<DateTime<Utc>>,
    /// The progress to the next tier in percent, 100 in the highest tier. Absent if the settings do not list the tier.
    pub tier_progress: Option<u8>,
    /// The segment now.
    pub segment: Segment,
    /// The number of days since the last order. Absent without orders.
    pub days_since_last_order: Option<u32>,
    /// The last churn prediction. Absent if there is none.
    #[serde(flatten)]
    pub churn: Option<ChurnView>,
}

/// Points that expire at an instant.
#[declare::answer]
pub struct ExpiringPointsView {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The points.
    pub points: Points,
}

/// The last churn prediction of a customer.
#[declare::answer]
pub struct ChurnView {
    /// The probability of no order in the coming `activeDays`, in percent.
    pub churn_probability: Probability,
    /// The risk level of the probability.
    pub churn_risk_level: RiskLevel,
    /// The reason, in a sentence for people.
    pub churn_reasoning: SingleLine,
    /// The source of the probability: Claude with the statistical model, or the statistical model alone.
    pub churn_source: ChurnSource,
    /// When the prediction was made.
    pub churn_predicted_at: DateTime<Utc>,
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
        let figures = customer.account.figures(now);
        let settings = org.loyalty.as_ref().map(|loyalty| &loyalty.settings);
        let tier = settings.map(|settings| tier::held_tier(&customer, settings).clone());
        let progress = settings.zip(tier.as_ref());
        let CustomerProfile { first_name, last_name, email, phone, card_number, equity_status } =
            customer.profile.clone();
        Self {
            first_name,
            last_name,
            email,
            phone,
            card_number,
            equity_status,
            org_id: org.id.clone(),
            points: figures.points,
            available_points: figures.available,
            pending_points: figures.pending,
            held_points: figures.held,
            expiring_points: figures
                .expiring
                .into_iter()
                .map(|(at, points)| ExpiringPointsView { at, points })
                .collect(),
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
