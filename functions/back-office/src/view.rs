//! How orgs, bundles and customers are answered. What depends on today's date is worked out here and never stored.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::{
    bundle::{
        schedule::{Schedule, ScheduleDate, TimeOfDay},
        state::Bundle,
        status::BundleStatus,
        terms::{DesiredState, Offer, UseLimit},
        timeline::{next_change, status_at},
    },
    churn::{
        risk::{Probability, RiskLevel},
        score::{ChurnSource, Prediction},
    },
    customer::{Customer, CustomerProfile},
    ids::{BundleId, CustomerId, OrgId},
    loyalty::LoyaltySettings,
    money::Money,
    org::{Org, OrgProfile},
    points::Points,
    segment::{Segment, segment_at},
    text::SingleLine,
    tier, time,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgView {
    org_id: OrgId,
    #[serde(flatten)]
    profile: OrgProfile,
    disposable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty: Option<LoyaltySettings>,
}

impl From<Org> for OrgView {
    fn from(Org { id, profile, disposable, loyalty, .. }: Org) -> Self {
        Self { org_id: id, profile, disposable, loyalty: loyalty.map(|loyalty| loyalty.settings) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView {
    org_id: OrgId,
    customer_id: CustomerId,
    #[serde(flatten)]
    person: CustomerProfile,
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

/// What was last predicted of a customer.
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
    /// The customer as at `now`. Who holds no tier yet stands at the lowest, where the org has settings.
    pub(crate) fn new(org: &Org, customer: Customer, now: DateTime<Utc>) -> Self {
        let settings = org.loyalty.as_ref().map(|loyalty| &loyalty.settings);
        let tier = settings.map(|settings| tier::held_by(&customer, settings).clone());
        let progress = settings.zip(tier.as_ref());
        Self {
            org_id: org.id.clone(),
            points: customer.points,
            lifetime_value: customer.lifetime_value,
            order_count: customer.order_count(),
            average_order_value: customer.average_order_value().map(|value| org.profile.currency.floored(value)),
            first_order_at: customer.orders.as_ref().map(|orders| orders.first_at),
            last_order_at: customer.last_order_at(),
            tier_updated_at: customer.held_tier.as_ref().map(|held_tier| held_tier.since),
            tier_progress: progress
                .and_then(|(settings, tier)| tier::progress(settings, tier, customer.lifetime_value)),
            tier,
            segment: segment_at(customer.orders.as_ref(), customer.lifetime_value, now),
            days_since_last_order: customer.last_order_at().map(|last| time::days_between(last, now)),
            churn: customer.churn.map(ChurnView::from),
            customer_id: customer.id,
            person: customer.profile,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BundleView {
    org_id: OrgId,
    bundle_id: BundleId,
    #[serde(flatten)]
    offer: Offer,
    #[serde(flatten)]
    schedule: ScheduleView,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_redemptions: Option<UseLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_customer_limit: Option<UseLimit>,
    known_customers_only: bool,
    desired_state: DesiredState,
    status: BundleStatus,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    next_change: Option<DateTime<Utc>>,
    current_redemptions: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleView {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_of_week: Option<Vec<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_end: Option<String>,
}

impl From<Schedule> for ScheduleView {
    fn from(Schedule { start, end, days, time_start, time_end }: Schedule) -> Self {
        Self {
            start_date: start.map(ScheduleDate::text),
            end_date: end.map(ScheduleDate::text),
            days_of_week: days.map(|days| days.iter().collect()),
            time_start: time_start.map(TimeOfDay::text),
            time_end: time_end.map(TimeOfDay::text),
        }
    }
}

impl BundleView {
    /// The bundle as at `now`.
    pub(crate) fn now(org: &Org, bundle: Bundle, now: DateTime<Utc>) -> Self {
        let zone = org.profile.timezone;
        let (status, next) = (status_at(&bundle, zone, now), next_change(&bundle, zone, now));
        Self::new(org.id.clone(), bundle, status, next)
    }

    /// The bundle with its status as last recorded.
    pub(crate) fn recorded(org: &Org, bundle: Bundle) -> Self {
        let status = bundle.recorded.status;
        Self::new(org.id.clone(), bundle, status, None)
    }

    fn new(org_id: OrgId, bundle: Bundle, status: BundleStatus, next_change: Option<DateTime<Utc>>) -> Self {
        Self {
            org_id,
            bundle_id: bundle.id,
            offer: bundle.terms.offer,
            schedule: bundle.terms.schedule.into(),
            max_redemptions: bundle.terms.max_redemptions,
            per_customer_limit: bundle.terms.per_customer_limit,
            known_customers_only: bundle.terms.known_customers_only,
            desired_state: bundle.terms.desired,
            status,
            next_change,
            current_redemptions: bundle.usage.redemptions,
        }
    }
}
