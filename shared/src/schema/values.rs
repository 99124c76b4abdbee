//! The schemas of scalar values.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::contract::is_request;
use crate::domain::{
    bundle::{
        schedule::{DAYS_OF_WEEK_RULE, DaysOfWeek, SCHEDULE_DATE_RULE, ScheduleDate, TIME_OF_DAY_RULE, TimeOfDay},
        status::BundleStatus,
        terms::{BundleType, DesiredState, Quantity, UseLimit},
        transition::TransitionReason,
    },
    churn::{
        risk::{Probability, RiskLevel},
        score::ChurnSource,
    },
    decimal::TwoPlaceDecimal,
    earning::adjustment::PointsChange,
    ids::{AdjustmentId, BundleId, CustomerId, ID_LENGTH_MAX, ID_RULE, KeyId, OrderId, OrgId, ProductId, RefundId},
    ledger::AmendmentKind,
    lots::dates::{ExpiryMonths, ExpiryRounding, PendingDays},
    loyalty::{ActiveDays, Enrolment, InactivityDays, PointsCost, RedemptionMode},
    money::{AMOUNT_RULE, CURRENCY_RULE, Currency, Money},
    org_key::KeyScope,
    points::Points,
    points_hold::HoldMinutes,
    rate::{EarnedPer, EarnedPoints, EquityMultiplier, PointsMultiplier, PointsPerDollar},
    rejection::RefusalCode,
    segment::Segment,
    text::{DESCRIPTION_RULE, Description, LINE_RULE, SingleLine},
    tier::TierCause,
    zone::{ZONE_RULE, Zone},
};

/// A value with one inlined schema for each contract. The rule is part of the schema of a request only.
macro_rules! value {
    ($type:ty, $rule:expr, |$generator:ident| $schema:expr) => {
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema($generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema: schemars::Schema = $schema;
                let rule: Option<&str> = $rule;
                if let Some(rule) = rule.filter(|_| $crate::schema::is_request($generator)) {
                    schema.insert($crate::schema::RULE.to_owned(), rule.into());
                }
                schema
            }
        }
    };
}

pub(crate) use value;

/// Any text of the allowed characters, except `.` and `..`. Without look-ahead, which not every validator knows.
const ID_PATTERN: &str = r"^(\.{0,2}[A-Za-z0-9_:@+-][A-Za-z0-9._:@+-]*|\.{3}[A-Za-z0-9._:@+-]*)$";

macro_rules! id {
    ($($type:ident: $example:literal),+ $(,)?) => {$(
        value!($type, Some(ID_RULE), |_generator| json_schema!({
            "type": "string", "minLength": 1, "maxLength": ID_LENGTH_MAX, "pattern": ID_PATTERN, "examples": [$example],
        }));
    )+};
}

id!(
    OrgId: "bakery",
    CustomerId: "c-1042",
    OrderId: "o-90210",
    RefundId: "r-1",
    AdjustmentId: "a-2026-12",
    BundleId: "breakfast",
    KeyId: "k4hXyq2mLzRt8",
    ProductId: "croissant",
);

pub(crate) fn text(max: u32, example: &str) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "maxLength": max, "examples": [example]})
}

/// The characters that a text may not have: control characters, and characters that hide or reorder others.
macro_rules! hidden {
    () => {
        r"\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    };
}

/// A line with at least one character that is not a space.
pub(crate) const LINE_PATTERN: &str =
    concat!(r"^[^\u0000-\u001f", hidden!(), r"]*[^\s\u0000-\u001f", hidden!(), r"][^\u0000-\u001f", hidden!(), "]*$");
const LINES_PATTERN: &str = concat!(r"^[^\u0000-\u0009\u000b-\u001f", hidden!(), "]*$");

value!(SingleLine, Some(LINE_RULE), |generator| {
    let mut schema = text(200, "Ada");
    // An item that was stored before the rule may hold other texts.
    if is_request(generator) {
        schema.insert("pattern".to_owned(), LINE_PATTERN.into());
    }
    schema
});
value!(Description, Some(DESCRIPTION_RULE), |generator| {
    let mut schema = json_schema!({
        "type": "string", "maxLength": 2000, "examples": ["Coffee and a croissant, until eleven."],
    });
    if is_request(generator) {
        schema.insert("pattern".to_owned(), LINES_PATTERN.into());
    }
    schema
});

pub(crate) fn currency() -> Schema {
    json_schema!({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["USD"]})
}
value!(Currency, Some(CURRENCY_RULE), |_generator| currency());

/// A number, or in a request also a text, with at most `places` decimals. `min` is 0 or 1, and `max` a power of ten.
///
/// The number has no `multipleOf`: a validator that divides floats rejects amounts that are exact, such as 0.07.
fn decimal(generator: &SchemaGenerator, (min, max): (u64, u64), places: u32, example: f64) -> Schema {
    let mut number = json_schema!({"type": "number", "minimum": min, "maximum": max});
    if !is_request(generator) {
        number.insert("examples".to_owned(), serde_json::json!([example]));
        return number;
    }
    let digits = max.ilog10();
    let whole = if min == 0 { format!("[0-9]{{1,{digits}}}") } else { format!("[1-9][0-9]{{0,{}}}", digits - 1) };
    let pattern = format!(r"^0*({whole}(\.[0-9]{{1,{places}}}0*)?|10{{{digits}}}(\.0+)?)$");
    json_schema!({
        "anyOf": [number, {"type": "string", "pattern": pattern}], "examples": [example, example.to_string()],
    })
}

/// The largest amount in a request, in major units.
const AMOUNT_MAX: u64 = 100_000_000_000;

value!(Money, Some(AMOUNT_RULE), |generator| {
    let mut schema = decimal(generator, (0, AMOUNT_MAX), 2, 49.99);
    if !is_request(generator) {
        // A sum of amounts may exceed the largest amount of a request.
        schema.remove("maximum");
    }
    schema
});
value!(PointsPerDollar, Some(Self::RULE), |generator| decimal(generator, Self::BOUNDS, 4, 1.5));
value!(EquityMultiplier, Some(Self::RULE), |generator| decimal(generator, Self::BOUNDS, 4, 1.2));
value!(PointsMultiplier, Some(Self::RULE), |generator| decimal(generator, Self::BOUNDS, 4, 1.15));
value!(EarnedPer, Some(Self::RULE), |generator| {
    let mut schema = decimal(generator, (0, AMOUNT_MAX), 2, 3.0);
    if let Some([number, text]) = schema.get_mut("anyOf").and_then(Value::as_array_mut).map(Vec::as_mut_slice) {
        *number = serde_json::json!({"type": "number", "exclusiveMinimum": 0, "maximum": AMOUNT_MAX});
        let pattern = r"^0*([1-9][0-9]{0,10}(\.[0-9]{1,2}0*)?|10{11}(\.0+)?)$|^0+\.(0[1-9]|[1-9][0-9]?)0*$";
        *text = serde_json::json!({"type": "string", "pattern": pattern});
    }
    schema
});
value!(TwoPlaceDecimal, None, |_generator| json_schema!({"type": "number", "examples": [12.34]}));
value!(Probability, None, |_generator| json_schema!({
    "type": "number", "minimum": 0, "maximum": 100, "examples": [41.27],
}));

pub(crate) fn whole((min, max): (i64, i64), example: i64) -> Schema {
    json_schema!({"type": "integer", "minimum": min, "maximum": max, "examples": [example]})
}
value!(Points, None, |_generator| json_schema!({"type": "integer", "examples": [120]}));
value!(EarnedPoints, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 1));
value!(PointsCost, Some(Self::RULE), |_generator| whole((1, Self::MAX), 100));
value!(PointsChange, Some(Self::RULE), |_generator| {
    let mut schema = whole((-Self::MAX, Self::MAX), 50);
    schema.insert("not".to_owned(), serde_json::json!({"const": 0}));
    schema
});
value!(InactivityDays, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 180));
value!(PendingDays, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 14));
value!(ExpiryMonths, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 12));
value!(HoldMinutes, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 15));
value!(ActiveDays, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 90));
value!(Quantity, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 2));
value!(UseLimit, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 500));

const TIME_PATTERN: &str = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";

value!(TimeOfDay, Some(TIME_OF_DAY_RULE), |_generator| json_schema!({
    "type": "string", "pattern": TIME_PATTERN, "examples": ["18:30"],
}));
/// The years that a request may name.
pub(crate) const YEAR_PATTERN: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-";

value!(ScheduleDate, Some(SCHEDULE_DATE_RULE), |generator| {
    let mut schema = json_schema!({
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
        "examples": ["2026-12-24", "2026-12-24T18:30:00Z"],
    });
    if is_request(generator) {
        schema.insert("pattern".to_owned(), YEAR_PATTERN.into());
    }
    schema
});
value!(DaysOfWeek, Some(DAYS_OF_WEEK_RULE), |_generator| json_schema!({
    "type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 6}, "minItems": 1, "maxItems": 7,
    "uniqueItems": true, "examples": [[1, 2, 3, 4, 5]],
}));
value!(Zone, Some(ZONE_RULE), |_generator| json_schema!({"type": "string", "examples": ["Europe/Vienna"]}));

macro_rules! by_name {
    ($($type:ident),+ $(,)?) => {$(
        value!($type, None, |_generator| json_schema!({"type": "string", "enum": Self::NAMES}));
    )+};
}

by_name!(
    AmendmentKind,
    BundleStatus,
    BundleType,
    ChurnSource,
    DesiredState,
    Enrolment,
    ExpiryRounding,
    KeyScope,
    RedemptionMode,
    RefusalCode,
    RiskLevel,
    Segment,
    TierCause,
    TransitionReason,
);
