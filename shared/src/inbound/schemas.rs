//! The schemas of the values that only requests contain.

use schemars::json_schema;

use super::{
    bundle::StartTime,
    cursor::Cursor,
    date::Date,
    fields::{OrgCurrency, PageSize, Timestamp},
    profile::{CARD_RULE, CardNumber, Email, Phone},
};
use crate::{
    domain::{
        contact::{COUNTRY_RULE, Country},
        money::ORG_CURRENCY_RULE,
        text::{EMAIL_RULE, PHONE_RULE},
        time::{DAY_RULE, INSTANT_RULE},
    },
    schema::values::{LINE_PATTERN, YEAR_PATTERN, currency, text, value, whole},
};

value!(Email, Some(EMAIL_RULE), |_generator| {
    let mut schema = text(200, "ada@example.com");
    schema.insert("format".to_owned(), "email".into());
    schema
});
value!(Phone, Some(PHONE_RULE), |_generator| {
    let mut schema = text(200, "+1 555 123 4567");
    schema.insert("pattern".to_owned(), r"^\+?[ ().\-/]*([0-9][ ().\-/]*){3,20}$".into());
    schema
});
value!(OrgCurrency, Some(ORG_CURRENCY_RULE), |_generator| currency());
value!(PageSize, Some(Self::RULE), |_generator| whole(Self::BOUNDS, 50));
value!(StartTime, Some(Self::RULE), |_generator| json_schema!({
    "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["07:00"],
}));
value!(Timestamp, Some(INSTANT_RULE), |_generator| json_schema!({
    "type": "string", "format": "date-time", "pattern": YEAR_PATTERN, "examples": ["2024-12-24T18:30:00Z"],
}));
value!(Date, Some(DAY_RULE), |_generator| json_schema!({
    "type": "string", "format": "date", "pattern": YEAR_PATTERN, "examples": ["2026-12-24"],
}));
value!(CardNumber, Some(CARD_RULE), |_generator| {
    let mut schema = text(64, "4006381333931");
    schema.insert("pattern".to_owned(), LINE_PATTERN.into());
    schema
});
value!(Country, Some(COUNTRY_RULE), |_generator| json_schema!({
    "type": "string", "minLength": 2, "maxLength": 2, "pattern": "^[A-Z]{2}$", "examples": ["US"],
}));
value!(Cursor, Some(Self::RULE), |_generator| json_schema!({"type": "string"}));
