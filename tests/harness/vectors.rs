//! The vectors: cases that an independent implementation worked out.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::money::Money;

use crate::root;

/// Checks every row of a file of vectors; what fails is named by its row.
pub fn every_row<T: for<'a> Deserialize<'a>>(file: &str, at_least: usize, check: impl Fn(&T) -> (Value, Value)) {
    let text = std::fs::read_to_string(root().join("tests/vectors").join(file)).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(rows.len() >= at_least, "{file} has only {} rows", rows.len());
    for row in rows {
        let (is, ought) = check(&serde_json::from_value(row.clone()).unwrap());
        assert_eq!(is, ought, "{file}: {row}");
    }
}

/// A number of a vector, which is a JSON number or a text.
pub fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

/// An amount of a vector.
pub fn money(value: &Value) -> Money {
    Money::requested(decimal(value)).unwrap()
}
