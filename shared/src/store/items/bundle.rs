//! The stored form of a bundle, and of the mark of a deleted bundle.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::values::money;
use crate::domain::{
    bundle::{
        schedule::{DaysOfWeek, Schedule, ScheduleDate, TimeOfDay},
        state::{Bundle, RecordedStatus, Usage},
        status::BundleStatus,
        terms::{BundleTerms, BundleType, DesiredState, Offer, Price, Product, Products, Quantity, UseLimit},
    },
    ids::{BundleId, ProductId},
    text::{Description, SingleLine},
    time,
    zone::{self, Zone},
};

/// A bundle as it is first written. Later writes change the terms, the recorded status and the counters separately.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct BundleForm {
    bundle_id: BundleId,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    created_at: Option<DateTime<Utc>>,
    terms: TermsForm,
    recorded: RecordedForm,
    redemptions: u64,
    customers: u64,
    savings: i64,
    #[serde(rename = "ever")]
    is_ever_redeemed: bool,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct RecordedForm {
    status: BundleStatus,
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    zone: String,
    /// The release of the zone rules by which the status was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone_data: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct TermsForm {
    name: SingleLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    r#type: BundleType,
    products: Vec<ProductForm>,
    original_total: i64,
    bundle_price: i64,
    desired_state: DesiredState,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    start_date: Option<DateTime<Utc>>,
    /// Takes precedence over `startDate`. For releases that do not know days, `startDate` then holds the start of the
    /// day as of the write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_day: Option<NaiveDate>,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    end_date: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_day: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days_of_week: Option<Vec<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_start: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_end: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_redemptions: Option<UseLimit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_customer_limit: Option<UseLimit>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    known_customers_only: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProductForm {
    product_id: ProductId,
    name: SingleLine,
    required_qty: Quantity,
    original_price: i64,
}

impl BundleForm {
    pub(in crate::store) fn new(bundle: &Bundle, version: u64) -> Self {
        let Usage { redemptions, customers, savings, ever_redeemed: is_ever_redeemed } = bundle.usage;
        Self {
            bundle_id: bundle.id.clone(),
            created_at: bundle.created_at,
            terms: TermsForm::new(&bundle.terms, bundle.recorded.zone),
            recorded: bundle.recorded.into(),
            redemptions,
            customers,
            savings: savings.minor(),
            is_ever_redeemed,
            version,
        }
    }
}

impl TryFrom<BundleForm> for (Bundle, u64) {
    type Error = &'static str;

    fn try_from(form: BundleForm) -> Result<Self, Self::Error> {
        let BundleForm { bundle_id: id, created_at, terms, recorded, .. } = form;
        let BundleForm { redemptions, customers, savings, is_ever_redeemed, version, .. } = form;
        let zone = recorded.zone.parse().map_err(|_| "an unknown time zone")?;
        // The names of releases sort in their order. A status by newer rules is left to the processes that have these
        // rules.
        let is_outdated = recorded.zone_data.is_none_or(|data| data.as_str() < zone::data_version());
        let value = Bundle {
            id,
            created_at,
            terms: terms.try_into()?,
            usage: Usage { redemptions, customers, savings: money(savings)?, ever_redeemed: is_ever_redeemed },
            recorded: RecordedStatus { status: recorded.status, at: recorded.at, zone, is_outdated },
        };
        Ok((value, version))
    }
}

impl From<RecordedStatus> for RecordedForm {
    fn from(RecordedStatus { status, at, zone, is_outdated: _ }: RecordedStatus) -> Self {
        // Every status that this process writes was evaluated by its own rules.
        Self { status, at, zone: zone.name().into(), zone_data: Some(zone::data_version().into()) }
    }
}

impl TermsForm {
    /// The form of a bundle's terms. `zone` is the time zone by which the bundle is evaluated.
    pub(in crate::store) fn new(terms: &BundleTerms, zone: Zone) -> Self {
        let BundleTerms { offer, desired_state, schedule, max_redemptions, per_customer_limit, known_customers_only } =
            terms;
        let day = |date: ScheduleDate| match date {
            ScheduleDate::At(_) => None,
            ScheduleDate::Day(day) => Some(day),
        };
        let product = |product: &Product| ProductForm {
            product_id: product.product_id.clone(),
            name: product.name.clone(),
            required_qty: product.required_qty,
            original_price: product.original_price.minor(),
        };
        Self {
            name: offer.name.clone(),
            description: offer.description.clone(),
            r#type: offer.kind,
            products: offer.products.iter().map(product).collect(),
            original_total: offer.price.original_total().minor(),
            bundle_price: offer.price.bundle_price().minor(),
            desired_state: *desired_state,
            start_date: schedule.starts_at(zone),
            start_day: schedule.start.and_then(day),
            end_date: schedule.ends_at(zone),
            end_day: schedule.end.and_then(day),
            days_of_week: schedule.days.map(|days| days.iter().map(i64::from).collect()),
            time_start: schedule.time_start.map(TimeOfDay::text),
            time_end: schedule.time_end.map(TimeOfDay::text),
            max_redemptions: *max_redemptions,
            per_customer_limit: *per_customer_limit,
            known_customers_only: *known_customers_only,
        }
    }
}

impl TryFrom<TermsForm> for BundleTerms {
    type Error = &'static str;

    fn try_from(form: TermsForm) -> Result<Self, Self::Error> {
        let product = |ProductForm { product_id, name, required_qty, original_price }| {
            Ok(Product { product_id, name, required_qty, original_price: money(original_price)? })
        };
        let date =
            |day: Option<NaiveDate>, at: Option<DateTime<Utc>>| day.map(ScheduleDate::Day).or(at.map(ScheduleDate::At));
        let products: Vec<Product> = form.products.into_iter().map(product).collect::<Result<_, Self::Error>>()?;
        Ok(Self {
            offer: Offer {
                name: form.name,
                description: form.description,
                kind: form.r#type,
                products: Products::try_from(products)?,
                price: Price::new(money(form.original_total)?, money(form.bundle_price)?)?,
            },
            desired_state: form.desired_state,
            schedule: Schedule {
                start: date(form.start_day, form.start_date),
                end: date(form.end_day, form.end_date),
                days: form.days_of_week.map(DaysOfWeek::try_from).transpose()?,
                time_start: form.time_start.map(TimeOfDay::try_from).transpose()?,
                time_end: form.time_end.map(TimeOfDay::try_from).transpose()?,
            },
            max_redemptions: form.max_redemptions,
            per_customer_limit: form.per_customer_limit,
            known_customers_only: form.known_customers_only,
        })
    }
}

/// The mark of a deleted bundle.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct DeletedBundleForm {
    bundle_id: BundleId,
    #[serde(serialize_with = "time::serialize")]
    deleted_at: DateTime<Utc>,
}

impl DeletedBundleForm {
    pub(in crate::store) const fn new(bundle_id: BundleId, deleted_at: DateTime<Utc>) -> Self {
        Self { bundle_id, deleted_at }
    }
}
