//! Decodes bundles.

use std::collections::BTreeSet;

use deserr::{DeserializeError, Deserr, IntoValue, Value, ValuePointerRef};

use super::{
    fields::{FieldErrors, FromFields, bounded_list, invalid_value, single_field},
    json::{Fields, Json},
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
#[derive(Debug)]
pub struct BundleFields {
    /// The org of the bundle.
    pub org_id: OrgId,
    /// The id of the bundle.
    pub bundle_id: BundleId,
    /// The state that the operator requests. `None` keeps the current state.
    pub desired: Option<DesiredState>,
    offer: Offer,
    schedule: Schedule,
    max_redemptions: Option<UseLimit>,
    per_customer_limit: Option<UseLimit>,
    known_customers_only: bool,
}

impl BundleFields {
    /// Checks the rules that depend on the org: whole amounts in a currency without decimals, and an end after the
    /// start in the time zone of the org.
    pub fn check(&self, org: &Org) -> Result<(), Rejection> {
        let Offer { products, price, .. } = &self.offer;
        let of_all = [("originalTotal", price.original_total()), ("bundlePrice", price.bundle_price())];
        let of_all = of_all.into_iter().map(|(field, amount)| (field.to_owned(), Some(amount)));
        let each = products.iter().enumerate();
        let each = each.map(|(nth, product)| (format!("products[{nth}].originalPrice"), Some(product.original_price)));
        let mut faults = org.amount_errors(of_all.chain(each));
        if !self.schedule.starts_before_end(org.profile.timezone) {
            faults.push(FieldError::new("endDate", END_AFTER_START_RULE));
        }
        if faults.is_empty() { Ok(()) } else { Err(Rejection::Invalid(faults.into())) }
    }

    /// The terms of the bundle, with `default_state` if the request gives no state.
    #[must_use]
    pub fn terms(&self, default_state: DesiredState) -> BundleTerms {
        BundleTerms {
            offer: self.offer.clone(),
            desired_state: self.desired.unwrap_or(default_state),
            schedule: self.schedule.clone(),
            max_redemptions: self.max_redemptions,
            per_customer_limit: self.per_customer_limit,
            known_customers_only: self.known_customers_only,
        }
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct BundleForm {
    org_id: OrgId,
    bundle_id: BundleId,
    name: SingleLine,
    #[deserr(default)]
    description: Option<Description>,
    #[deserr(rename = "type")]
    kind: BundleType,
    products: Products,
    original_total: Money,
    bundle_price: Money,
    #[deserr(default)]
    start_date: Option<ScheduleDate>,
    #[deserr(default)]
    end_date: Option<ScheduleDate>,
    #[deserr(default)]
    days_of_week: Option<DaysOfWeek>,
    #[deserr(default)]
    time_start: Option<StartTime>,
    #[deserr(default)]
    time_end: Option<TimeOfDay>,
    #[deserr(default)]
    max_redemptions: Option<UseLimit>,
    #[deserr(default)]
    per_customer_limit: Option<UseLimit>,
    #[deserr(default)]
    known_customers_only: bool,
    #[deserr(default)]
    desired_state: Option<DesiredState>,
}

impl FromFields for BundleFields {
    fn read(fields: &Fields) -> Result<Self, FieldErrors> {
        let cross_errors = cross_field_errors(fields);
        let form: BundleForm = match (BundleForm::read(fields), cross_errors.is_empty()) {
            (Ok(form), true) => form,
            (Ok(_), false) => return Err(cross_errors.into()),
            (Err(errors), _) => return Err(errors.append(cross_errors)),
        };
        let price = Price::new(form.original_total, form.bundle_price)
            .map_err(|rule| vec![FieldError::new("bundlePrice", rule)])?;
        let BundleForm { name, description, kind, products, .. } = form;
        Ok(Self {
            org_id: form.org_id,
            bundle_id: form.bundle_id,
            desired: form.desired_state,
            offer: Offer { name, description, kind, products, price },
            schedule: Schedule {
                start: form.start_date,
                end: form.end_date,
                days: form.days_of_week,
                time_start: form.time_start.map(|StartTime(time)| time),
                time_end: form.time_end,
            },
            max_redemptions: form.max_redemptions,
            per_customer_limit: form.per_customer_limit,
            known_customers_only: form.known_customers_only,
        })
    }
}

/// The faults of rules that involve several fields. They are reported together with the faults of single fields.
fn cross_field_errors(fields: &Fields) -> Vec<FieldError> {
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
struct StartTime(TimeOfDay);

impl<E: DeserializeError> Deserr<E> for StartTime {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let time = match value {
            Value::String(text) => TimeOfDay::try_from(text).ok().filter(|time| *time != TimeOfDay::END_OF_DAY),
            _ => None,
        };
        time.map(Self).ok_or_else(|| invalid_value("must be a time of day from 00:00 to 23:59, in the form HH:MM", at))
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct ProductFields {
    product_id: ProductId,
    name: SingleLine,
    required_qty: Quantity,
    original_price: Money,
}

impl<E: DeserializeError> Deserr<E> for Products {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let products: Vec<ProductFields> = bounded_list(value, at, 100, PRODUCTS_RULE)?;
        let product = |ProductFields { product_id, name, required_qty, original_price }| Product {
            product_id,
            name,
            required_qty,
            original_price,
        };
        let products: Vec<Product> = products.into_iter().map(product).collect();
        Self::try_from(products).map_err(|rule| invalid_value(rule, at))
    }
}
