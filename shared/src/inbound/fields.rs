//! Decodes the fields of a request into the types of the rules, and reports every fault.

use std::{convert::Infallible, fmt::Display, ops::ControlFlow};

use chrono::{DateTime, Utc};
use deserr::{
    DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, Sequence, Value, ValueKind, ValuePointerRef,
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Serialize, Serializer};

use super::json::{Fields, Json};
use crate::domain::{
    bundle::{
        schedule::{DAYS_OF_WEEK_RULE, DaysOfWeek, SCHEDULE_DATE_RULE, ScheduleDate, TIME_OF_DAY_RULE, TimeOfDay},
        status::BundleStatus,
        terms::{BundleType, DesiredState, Quantity, UseLimit},
    },
    churn::risk::RiskLevel,
    decimal::plain_decimal,
    earning::adjustment::PointsChange,
    ids::{self, AdjustmentId, BundleId, CustomerId, KeyId, OrderId, OrgId, ProductId, RefundId},
    lots::dates::{ExpiryMonths, ExpiryRounding, PendingDays},
    loyalty::{ActiveDays, Enrolment, InactivityDays, PointsCost, RedemptionMode},
    money::{self, Currency, Money},
    org_key::KeyScope,
    points_hold::HoldMinutes,
    rate::{EarnedPer, EarnedPoints, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::{FieldError, InvalidFields, Rejection},
    segment::Segment,
    text::{self, Description, SingleLine},
    time::{self, FutureTolerance},
};

/// The field that names an org.
pub(super) const ORG_ID: &str = "orgId";

/// The field that names the position at which a list continues. A cursor also names an org.
pub(super) const CURSOR: &str = "cursor";

/// A request that can be decoded from fields.
pub trait FromFields: Sized {
    /// Decodes the request, or reports every fault.
    fn read(fields: &Fields) -> Result<Self, FieldErrors>;
}

impl<T: Deserr<FieldErrors>> FromFields for T {
    fn read(fields: &Fields) -> Result<Self, FieldErrors> {
        deserr::deserialize(Json::Object(fields.clone()))
    }
}

/// The value of one field, if it is present and valid. Rules that involve several fields use it.
#[must_use]
pub fn single_field<T: Deserr<FieldErrors>>(fields: &Fields, name: &str) -> Option<T> {
    deserr::deserialize(fields.get(name)?.clone()).ok()
}

/// The fault of an instant that lies further in the future than `tolerance`.
#[must_use]
pub fn future_errors(fields: &Fields, name: &str, now: DateTime<Utc>, tolerance: FutureTolerance) -> Vec<FieldError> {
    let (bound, rule) = tolerance.bound();
    let too_late = single_field::<Timestamp>(fields, name).filter(|Timestamp(at)| *at > now + bound);
    too_late.map(|_| FieldError::new(name, rule)).into_iter().collect()
}

/// The faults of the fields of a request.
#[derive(Debug, Default)]
pub struct FieldErrors {
    faults: InvalidFields,
    unknown: Vec<String>,
}

impl FieldErrors {
    /// The names of unknown fields at the top level.
    pub(super) fn unknown_names(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().map(String::as_str)
    }

    /// The message of the first fault.
    pub(super) fn first_message(&self) -> String {
        self.faults.listed().first().map(|fault| fault.message.clone()).unwrap_or_default()
    }

    /// Adds the faults of another part of the request.
    pub(super) fn merge(mut self, mut others: Self) -> Self {
        self.unknown.append(&mut others.unknown);
        Self { faults: self.faults.merge(others.faults), unknown: self.unknown }
    }

    /// Adds faults at the end.
    #[must_use]
    pub fn append(self, others: Vec<FieldError>) -> Self {
        Self { faults: self.faults.merge(others.into()), unknown: self.unknown }
    }

    /// The faults of a part of the request, with the path of this part before their fields.
    pub(super) fn prefixed(self, path: &str) -> impl Iterator<Item = FieldError> {
        let at = |FieldError { field, message }: &FieldError| {
            let dot = if field.is_empty() || field.starts_with('[') { "" } else { "." };
            FieldError::new(format!("{path}{dot}{field}"), message.as_str())
        };
        let faults: Vec<_> = self.faults.listed().iter().map(at).collect();
        faults.into_iter()
    }

    /// Adds faults at the beginning.
    pub(super) fn prepend(self, faults: Vec<FieldError>) -> Self {
        Self { faults: InvalidFields::from(faults).merge(self.faults), unknown: self.unknown }
    }
}

impl From<Vec<FieldError>> for FieldErrors {
    fn from(errors: Vec<FieldError>) -> Self {
        Self { faults: errors.into(), unknown: Vec::new() }
    }
}

impl From<FieldErrors> for Rejection {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors.faults)
    }
}

/// Decodes a list of at most `len_max` elements. A longer list is rejected before its elements are decoded.
pub(super) fn bounded_list<T: Deserr<E>, E: DeserializeError, V: IntoValue>(
    value: Value<V>,
    at: ValuePointerRef<'_>,
    len_max: usize,
    rule: &str,
) -> Result<Vec<T>, E> {
    match value {
        Value::Sequence(elements) if elements.len() > len_max => Err(invalid_value(rule, at)),
        value => Deserr::deserialize_from_value(value, at),
    }
}

impl MergeWithError<Self> for FieldErrors {
    fn merge(this: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        ControlFlow::Continue(this.unwrap_or_default().merge(other))
    }
}

impl DeserializeError for FieldErrors {
    fn error<V: IntoValue>(
        this: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let mut errors = this.unwrap_or_default();
        let path = field_path(location);
        let field_at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let (field, message) = match error {
            ErrorKind::MissingField { field } => (field_at(field), "is missing".to_owned()),
            ErrorKind::UnknownKey { key, .. } => {
                if path.is_empty() {
                    errors.unknown.push(key.to_owned());
                }
                (field_at(key), "is not a field of this request".to_owned())
            }
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                (path, format!("must be {}", alternatives(accepted.iter().copied().map(kind_name))))
            }
            ErrorKind::UnknownValue { accepted, .. } => (path, format!("must be one of {}", accepted.join(", "))),
            ErrorKind::BadSequenceLen { expected, .. } => (path, format!("must have {expected} elements")),
            ErrorKind::Unexpected { msg } => (path, msg),
        };
        errors.faults.push(FieldError::new(field, message));
        ControlFlow::Continue(errors)
    }
}

fn alternatives<T: Display>(names: impl Iterator<Item = T>) -> String {
    let mut names: Vec<_> = names.map(|name| name.to_string()).collect();
    names.dedup();
    names.join(" or ")
}

const fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer | ValueKind::NegativeInteger => "a whole number",
        ValueKind::Float => "a number",
        ValueKind::String => "a text",
        ValueKind::Sequence => "a list",
        ValueKind::Map => "an object",
    }
}

fn field_path(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => {
            let before = field_path(*prev);
            if before.is_empty() { key.to_owned() } else { format!("{before}.{key}") }
        }
        ValuePointerRef::Index { index, prev } => format!("{}[{index}]", field_path(*prev)),
    }
}

/// A single value in a request.
enum Scalar {
    Text(String),
    Number(Decimal),
    Other,
}

impl Scalar {
    fn from_value<V: IntoValue>(value: Value<V>) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Integer(whole) => Self::Number(whole.into()),
            Value::NegativeInteger(whole) => Self::Number(whole.into()),
            // The shortest decimal of the float is the number that the caller wrote. Infinity and NaN have none.
            Value::Float(float) => Decimal::from_str_exact(&float.to_string()).map_or(Self::Other, Self::Number),
            Value::Null | Value::Boolean(_) | Value::Sequence(_) | Value::Map(_) => Self::Other,
        }
    }

    fn text<T: TryFrom<String, Error = &'static str>>(self, rule: &'static str) -> Result<T, &'static str> {
        if let Self::Text(text) = self { T::try_from(text) } else { Err(rule) }
    }

    fn whole<T: TryFrom<i64, Error = &'static str>>(self, rule: &'static str) -> Result<T, &'static str> {
        match self {
            Self::Number(number) if number.is_integer() => number.to_i64().ok_or(rule).and_then(T::try_from),
            _ => Err(rule),
        }
    }

    fn decimal(self, rule: &'static str) -> Result<Decimal, &'static str> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => plain_decimal(&text).map(|number| number.normalize()).ok_or(rule),
            Self::Other => Err(rule),
        }
    }
}

/// Decodes one scalar. A fault has the text of the rule.
macro_rules! scalar {
    ($type:ty, $read:expr) => {
        impl<E: DeserializeError> Deserr<E> for $type {
            fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
                let read: fn(Scalar) -> Result<Self, &'static str> = $read;
                read(Scalar::from_value(value)).map_err(|rule| invalid_value(rule, at))
            }
        }
    };
}

/// The error for a value that breaks `rule`.
pub(super) fn invalid_value<E: DeserializeError>(rule: &str, at: ValuePointerRef<'_>) -> E {
    deserr::take_cf_content(E::error::<Infallible>(None, ErrorKind::Unexpected { msg: rule.to_owned() }, at))
}

scalar!(OrgId, |value| value.text(ids::ID_RULE));
scalar!(CustomerId, |value| value.text(ids::ID_RULE));
scalar!(OrderId, |value| value.text(ids::ID_RULE));
scalar!(RefundId, |value| value.text(ids::ID_RULE));
scalar!(AdjustmentId, |value| value.text(ids::ID_RULE));
scalar!(BundleId, |value| value.text(ids::ID_RULE));
scalar!(KeyId, |value| value.text(ids::ID_RULE));
scalar!(ProductId, |value| value.text(ids::ID_RULE));
scalar!(SingleLine, |value| value.text(text::LINE_RULE).and_then(SingleLine::reject_hidden));
scalar!(Description, |value| value.text(text::DESCRIPTION_RULE).and_then(Description::reject_hidden));
scalar!(Currency, |value| value.text(money::CURRENCY_RULE));
scalar!(OrgCurrency, |value| value
    .text(money::ORG_CURRENCY_RULE)
    .and_then(Currency::validate_for_org)
    .map(OrgCurrency));
scalar!(Money, |value| value.decimal(money::AMOUNT_RULE).and_then(Money::from_request));
scalar!(PointsPerDollar, |value| value.decimal(PointsPerDollar::RULE).and_then(TryFrom::try_from));
scalar!(EquityMultiplier, |value| value.decimal(EquityMultiplier::RULE).and_then(TryFrom::try_from));
scalar!(PointsMultiplier, |value| value.decimal(PointsMultiplier::RULE).and_then(TryFrom::try_from));
scalar!(EarnedPoints, |value| value.whole(EarnedPoints::RULE));
scalar!(EarnedPer, |value| {
    let amount = value.decimal(EarnedPer::RULE).and_then(Money::from_request);
    amount.and_then(EarnedPer::try_from).map_err(|_| EarnedPer::RULE)
});
scalar!(PointsCost, |value| value.whole(PointsCost::RULE));
scalar!(PointsChange, |value| value.whole(PointsChange::RULE));
scalar!(InactivityDays, |value| value.whole(InactivityDays::RULE));
scalar!(ActiveDays, |value| value.whole(ActiveDays::RULE));
scalar!(PendingDays, |value| value.whole(PendingDays::RULE));
scalar!(ExpiryMonths, |value| value.whole(ExpiryMonths::RULE));
scalar!(HoldMinutes, |value| value.whole(HoldMinutes::RULE));
scalar!(Quantity, |value| value.whole(Quantity::RULE));
scalar!(UseLimit, |value| value.whole(UseLimit::RULE));
scalar!(TimeOfDay, |value| value.text(TIME_OF_DAY_RULE));
scalar!(ScheduleDate, |value| value.text(SCHEDULE_DATE_RULE));
/// Decodes a value of an enumeration by its name.
macro_rules! by_name {
    ($($type:ty),+ $(,)?) => {$(
        impl<E: DeserializeError> Deserr<E> for $type {
            fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
                let named = match value {
                    Value::String(name) => name.parse().ok(),
                    _ => None,
                };
                named.ok_or_else(|| invalid_value(&format!("must be one of {}", Self::NAMES.join(", ")), at))
            }
        }
    )+};
}

by_name!(
    BundleStatus,
    BundleType,
    DesiredState,
    Enrolment,
    ExpiryRounding,
    KeyScope,
    RedemptionMode,
    RiskLevel,
    Segment
);

/// An instant in RFC 3339.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp(pub DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::serialize(&self.0, serializer)
    }
}

scalar!(Timestamp, |value| match value {
    Scalar::Text(text) => time::parse(&text).map(Timestamp),
    _ => Err(time::INSTANT_RULE),
});

/// A day of the week, 0 (Sunday) to 6 (Saturday).
struct WeekdayNumber(i64);
scalar!(WeekdayNumber, |value| match value {
    Scalar::Number(number) =>
        number.to_i64().filter(|day| number.is_integer() && (0..7).contains(day)).map(WeekdayNumber),
    _ => None,
}
.ok_or("must be a day, 0 (Sunday) to 6 (Saturday)"));

impl<E: DeserializeError> Deserr<E> for DaysOfWeek {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, E> {
        let days: Vec<WeekdayNumber> = bounded_list(value, at, 7, DAYS_OF_WEEK_RULE)?;
        let days: Vec<i64> = days.into_iter().map(|WeekdayNumber(day)| day).collect();
        Self::try_from(days).map_err(|rule| invalid_value(rule, at))
    }
}

/// The currency of an org. The default is USD.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct OrgCurrency(pub Currency);

/// The number of rows in a page: 1 to 100, with the default 50.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct PageSize(usize);
scalar!(PageSize, |value| {
    let number = value.decimal(PageSize::RULE)?;
    let limit = number.is_integer().then(|| number.to_i64()).flatten();
    let limit = limit.filter(|limit| (PageSize::BOUNDS.0..=PageSize::BOUNDS.1).contains(limit));
    limit.and_then(|limit| usize::try_from(limit).ok()).map(PageSize).ok_or(PageSize::RULE)
});

impl PageSize {
    /// The rule for the number of rows, as an error message.
    pub const RULE: &'static str = "must be a whole number from 1 to 100";

    /// The smallest and the largest number.
    pub const BOUNDS: (i64, i64) = (1, 100);

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}
