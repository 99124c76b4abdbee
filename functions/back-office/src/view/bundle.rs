//! A bundle as answers show it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::{
    bundle::{
        schedule::{Schedule, ScheduleDate, TimeOfDay},
        state::Bundle,
        status::BundleStatus,
        terms::{BundleType, DesiredState, Offer, Product, Quantity, UseLimit},
        timeline::{next_change, status_at},
    },
    ids::{BundleId, OrgId, ProductId},
    money::Money,
    org::Org,
    text::{Description, SingleLine},
    time,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BundleView {
    org_id: OrgId,
    bundle_id: BundleId,
    name: SingleLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    #[serde(rename = "type")]
    kind: BundleType,
    products: Vec<ProductView>,
    original_total: Money,
    bundle_price: Money,
    savings: Money,
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
struct ProductView {
    product_id: ProductId,
    name: SingleLine,
    required_qty: Quantity,
    original_price: Money,
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> Self {
        Self {
            product_id: product.product_id.clone(),
            name: product.name.clone(),
            required_qty: product.required_qty,
            original_price: product.original_price,
        }
    }
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
    /// The bundle with its status at `now`.
    pub(crate) fn now(org: &Org, bundle: Bundle, now: DateTime<Utc>) -> Self {
        let zone = org.profile.timezone;
        let (status, next) = (status_at(&bundle, zone, now), next_change(&bundle, zone, now));
        Self::new(org.id.clone(), bundle, status, next)
    }

    /// The bundle with its recorded status.
    pub(crate) fn recorded(org: &Org, bundle: Bundle) -> Self {
        let status = bundle.recorded.status;
        Self::new(org.id.clone(), bundle, status, None)
    }

    fn new(org_id: OrgId, bundle: Bundle, status: BundleStatus, next_change: Option<DateTime<Utc>>) -> Self {
        let Offer { name, description, kind, products, price } = bundle.terms.offer;
        Self {
            org_id,
            bundle_id: bundle.id,
            name,
            description,
            kind,
            products: products.iter().map(ProductView::from).collect(),
            original_total: price.original_total(),
            bundle_price: price.bundle_price(),
            savings: price.savings(),
            schedule: bundle.terms.schedule.into(),
            max_redemptions: bundle.terms.max_redemptions,
            per_customer_limit: bundle.terms.per_customer_limit,
            known_customers_only: bundle.terms.known_customers_only,
            desired_state: bundle.terms.desired_state,
            status,
            next_change,
            current_redemptions: bundle.usage.redemptions,
        }
    }
}
