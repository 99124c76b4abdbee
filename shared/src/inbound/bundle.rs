//! Decodes bundles.

use std::collections::BTreeSet;

use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};
use serde::Serialize;

use super::{
    fields::{invalid_value, single_field},
    json::{Fields, Json},
    list::list,
};
use crate::domain::{
    bundle::{
        schedule::{DaysOfWeek, END_AFTER_START_RULE, Schedule, ScheduleDate, TimeOfDay},
        terms::{
            BundleTerms, BundleType, DesiredState, Offer, PRICE_RULE, PRODUCTS_RULE, Price, Product, Products,
            Quantity, TOTAL_RULE, UseLimit,
        },
    },
    ids::{BundleId, OrgId, ProductId},
    money::Money,
    org::Org,
    rejection::{FieldError, Rejection},
    text::{Description, SingleLine},
};

/// The settings of a bundle, in a request that creates or replaces the bundle.
#[declare::request]
pub struct BundleFields {
    /// The org of the bundle.
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
    /// The products, none twice.
    pub products: Products,
    /// The regular price of all products, in the org's currency.
    pub original_total: Money,
    /// The price as a bundle, in the org's currency. At most `originalTotal`.
    pub bundle_price: Money,
    /// When the bundle starts. A date is the start of that day in the org's time zone.
    pub start_date: Option<ScheduleDate>,
    /// When the bundle ends, after `startDate`. A date is the end of that day in the org's time zone.
    pub end_date: Option<ScheduleDate>,
    /// The days of the week on which the bundle is on, 0 (Sunday) to 6 (Saturday). Absent: every day.
    pub days_of_week: Option<DaysOfWeek>,
    /// The start of the daily time window, in the org's time zone. Absent: 00:00.
    pub time_start: Option<StartTime>,
    /// The end of the daily time window. A time at or before `timeStart` is on the next day. Absent: 24:00.
    pub time_end: Option<TimeOfDay>,
    /// The number of orders that may redeem the bundle. Absent: no limit.
    pub max_redemptions: Option<UseLimit>,
    /// The number of orders of one customer that may redeem the bundle. Absent: no limit.
    pub per_customer_limit: Option<UseLimit>,
    /// Whether only customers of the org may redeem the bundle.
    #[declare(default)]
    pub known_customers_only: bool,
    /// The state that the operator requests. Absent: `draft` for a new bundle, unchanged for an existing one.
    pub desired_state: Option<DesiredState>,
}

impl BundleFields {
    /// Checks the rules that depend on the org: whole amounts in a currency without decimals, and an end after the
    /// start in the time zone of the org.
    pub fn check(&self, org: &Org) -> Result<(), Rejection> {
        let of_all = [("originalTotal", self.original_total), ("bundlePrice", self.bundle_price)];
        let of_all = of_all.into_iter().map(|(field, amount)| (field.to_owned(), Some(amount)));
        let each = self.products.iter().enumerate();
        let each = each.map(|(nth, product)| (format!("products[{nth}].originalPrice"), Some(product.original_price)));
        let mut faults = org.amount_errors(of_all.chain(each));
        if !self.schedule().starts_before_end(org.profile.timezone) {
            faults.push(FieldError::new("endDate", END_AFTER_START_RULE));
        }
        if faults.is_empty() { Ok(()) } else { Err(Rejection::Invalid(faults.into())) }
    }

    /// The terms of the bundle, with `default_state` if the request gives no state. Rejects a price above the total.
    pub fn terms(&self, default_state: DesiredState) -> Result<BundleTerms, Rejection> {
        let price = Price::new(self.original_total, self.bundle_price)
            .map_err(|rule| Rejection::invalid("bundlePrice", rule))?;
        Ok(BundleTerms {
            offer: Offer {
                name: self.name.clone(),
                description: self.description.clone(),
                kind: self.kind,
                products: self.products.clone(),
                price,
            },
            desired_state: self.desired_state.unwrap_or(default_state),
            schedule: self.schedule(),
            max_redemptions: self.max_redemptions,
            per_customer_limit: self.per_customer_limit,
            known_customers_only: self.known_customers_only,
        })
    }

    fn schedule(&self) -> Schedule {
        Schedule {
            start: self.start_date,
            end: self.end_date,
            days: self.days_of_week,
            time_start: self.time_start.map(|StartTime(time)| time),
            time_end: self.time_end,
        }
    }
}

/// The faults of rules that involve several fields. They are reported together with the faults of single fields.
#[must_use]
pub fn bundle_errors(fields: &Fields) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let (start, end) = (single_field(fields, "startDate"), single_field(fields, "endDate"));
    if !(Schedule { start, end, ..Schedule::default() }).can_start_before_end() {
        faults.push(FieldError::new("endDate", END_AFTER_START_RULE));
    }
    let total = single_field::<Money>(fields, "originalTotal");
    if total.zip(single_field(fields, "bundlePrice")).is_some_and(|(total, price): (Money, Money)| price > total) {
        faults.push(FieldError::new("bundlePrice", PRICE_RULE));
    }
    if single_field::<Products>(fields, "products")
        .zip(total)
        .is_some_and(|(products, total)| !products.add_up_to(total))
    {
        faults.push(FieldError::new("originalTotal", TOTAL_RULE));
    }
    let product = |value: &Json| match value {
        Json::Object(product) => product.get("productId")?.as_str().map(str::to_owned),
        _ => None,
    };
    let products = duplicate_positions(fields, "products", product);
    faults.extend(products.map(|position| FieldError::new(format!("products[{position}].productId"), DUPLICATE_RULE)));
    let days = duplicate_positions(fields, "daysOfWeek", |value| match value {
        Json::Number(digits) => digits.parse().map(f64::to_bits).ok(),
        _ => None,
    });
    faults.extend(days.map(|position| FieldError::new(format!("daysOfWeek[{position}]"), DUPLICATE_RULE)));
    faults
}

/// The rule that a repeated element of a list breaks.
const DUPLICATE_RULE: &str = "occurs twice";

/// The positions of elements whose key occurs earlier in the list.
fn duplicate_positions<K: Ord>(
    fields: &Fields,
    name: &str,
    key: impl Fn(&Json) -> Option<K>,
) -> std::vec::IntoIter<usize> {
    /// The longest list that any field accepts. A longer list is rejected anyway.
    const LIST_LENGTH_MAX: usize = 100;

    let Some(Json::List(list)) = fields.get(name) else { return Vec::new().into_iter() };
    let mut seen = BTreeSet::new();
    let keys = list.iter().take(LIST_LENGTH_MAX).map(|value| key(value).map(|key| seen.insert(key)));
    let duplicates = keys.enumerate().filter(|(_, is_new)| *is_new == Some(false)).map(|(position, _)| position);
    duplicates.collect::<Vec<_>>().into_iter()
}

/// The start of a daily time window. A window cannot start at 24:00.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct StartTime(TimeOfDay);

impl StartTime {
    /// The rule for the start of a window, as an error message.
    pub const RULE: &'static str = "must be a time of day from 00:00 to 23:59, in the form HH:MM";
}

impl<E: DeserializeError> Deserr<E> for StartTime {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let time = match value {
            Value::String(text) => TimeOfDay::try_from(text).ok().filter(|time| *time != TimeOfDay::END_OF_DAY),
            _ => None,
        };
        time.map(Self).ok_or_else(|| invalid_value(Self::RULE, at))
    }
}

/// A product of a bundle.
#[declare::request]
#[schemars(rename = "ProductTerms")]
struct ProductFields {
    /// The id of the product.
    product_id: ProductId,
    /// The name for people.
    name: SingleLine,
    /// The units of the product in one bundle.
    required_qty: Quantity,
    /// The regular price of one unit, in the org's currency.
    original_price: Money,
}

impl From<ProductFields> for Product {
    fn from(fields: ProductFields) -> Self {
        let ProductFields { product_id, name, required_qty, original_price } = fields;
        Self { product_id, name, required_qty, original_price }
    }
}

impl From<&Product> for ProductFields {
    fn from(product: &Product) -> Self {
        let Product { product_id, name, required_qty, original_price } = product.clone();
        Self { product_id, name, required_qty, original_price }
    }
}

list!(Products of Product as ProductFields, from 1 to 100, PRODUCTS_RULE);
