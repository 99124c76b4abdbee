//! The rows of a vector file. An independent implementation computed the expected values.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::money::Money;

use crate::root;

/// Checks every row of a vector file: `check` returns the actual and the expected value. The file must have at least
/// `at_least` rows.
pub fn every_row<T: for<'a> Deserialize<'a>>(file: &str, at_least: usize, check: impl Fn(&T) -> (Value, Value)) {
    let text = std::fs::read_to_string(root().join("tests/vectors").join(file)).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(rows.len() >= at_least, "{file} has only {} rows", rows.len());
    for row in rows {
        let (actual, expected) = check(&serde_json::from_value(row.clone()).unwrap());
        assert_eq!(actual, expected, "{file}: {row}");
    }
}

/// A decimal of a row, which is a JSON number or a text.
pub fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

/// An amount of a row.
pub fn money(value: &Value) -> Money {
    Money::from_request(decimal(value)).unwrap()
}
