//! A bundle as answers show it.

use chrono::{DateTime, Utc};
use shared::domain::{
    bundle::{
        schedule::{DaysOfWeek, Schedule, ScheduleDate, TimeOfDay},
        state::Bundle,
        status::BundleStatus,
        terms::{BundleType, DesiredState, Offer, Product, Quantity, UseLimit},
        timeline::{next_change, status_at},
    },
    ids::{BundleId, OrgId, ProductId},
    money::Money,
    org::Org,
    text::{Description, SingleLine},
};

/// A bundle.
#[declare::answer]
pub struct BundleView {
    /// The org.
    pub org_id: OrgId,
    /// The id of the bundle.
    pub bundle_id: BundleId,
    /// The name for people.
    pub name: SingleLine,
    /// The description for people.
    pub description: Option<Description>,
    /// The type of the deal.
    #[declare(rename = "type")]
    pub kind: BundleType,
    /// The products.
    pub products: Vec<ProductView>,
    /// The regular price of all products, in the org's currency.
    pub original_total: Money,
    /// The price as a bundle, in the org's currency.
    pub bundle_price: Money,
    /// The difference of the two prices, in the org's currency.
    pub savings: Money,
    /// When the bundle is on.
    #[serde(flatten)]
    pub schedule: ScheduleView,
    /// The number of orders that may redeem the bundle. Absent: no limit.
    pub max_redemptions: Option<UseLimit>,
    /// The number of orders of one customer that may redeem the bundle. Absent: no limit.
    pub per_customer_limit: Option<UseLimit>,
    /// Whether only customers of the org may redeem the bundle.
    pub known_customers_only: bool,
    /// The state that the operator requests.
    pub desired_state: DesiredState,
    /// The status: in a list as recorded, otherwise now.
    pub status: BundleStatus,
    /// When the clock changes the status next. Absent in a list, and if the clock never does.
    pub next_change: Option<DateTime<Utc>>,
    /// The number of redemptions that are not voided.
    pub current_redemptions: u64,
}

/// A product of a bundle.
#[declare::answer]
pub struct ProductView {
    /// The id of the product.
    pub product_id: ProductId,
    /// The name for people.
    pub name: SingleLine,
    /// The units of the product in one bundle.
    pub required_qty: Quantity,
    /// The regular price of one unit, in the org's currency.
    pub original_price: Money,
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

/// When a bundle is on. An absent field does not limit the schedule.
#[declare::answer]
pub struct ScheduleView {
    /// When the bundle starts. A date is the start of that day in the org's time zone.
    #[schemars(with = "Option<ScheduleDate>")]
    pub start_date: Option<String>,
    /// When the bundle ends. A date is the end of that day in the org's time zone.
    #[schemars(with = "Option<ScheduleDate>")]
    pub end_date: Option<String>,
    /// The days of the week on which the bundle is on, 0 (Sunday) to 6 (Saturday).
    #[schemars(with = "Option<DaysOfWeek>")]
    pub days_of_week: Option<Vec<u8>>,
    /// The start of the daily time window, in the org's time zone.
    #[schemars(with = "Option<TimeOfDay>")]
    pub time_start: Option<String>,
    /// The end of the daily time window. A time at or before `timeStart` is on the next day.
    #[schemars(with = "Option<TimeOfDay>")]
    pub time_end: Option<String>,
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
