//! Values of requests.

use deserr::Deserr;
use serde_json::Value;
use shared::{domain::rejection::Rejection, inbound::fields::FieldErrors};

/// A value that breaks a rule of its type.
#[derive(Debug, thiserror::Error)]
#[error("{value} {rule}")]
pub struct InvalidValue {
    value: Value,
    rule: String,
}

/// A value of a request from its JSON, by the rules by which the functions decode it: `value("demo")?` is an id,
/// `value("49.99")?` an amount, `value(3)?` a limit.
pub fn value<T: Deserr<FieldErrors>>(json: impl Into<Value>) -> Result<T, InvalidValue> {
    let value = json.into();
    deserr::deserialize(value.clone()).map_err(|errors| InvalidValue { value, rule: rule_of(errors) })
}

fn rule_of(errors: FieldErrors) -> String {
    let Rejection::Invalid(faults) = Rejection::from(errors) else { return String::new() };
    let faults =
        faults.listed().iter().map(|fault| format!("{} {}", fault.field, fault.message).trim_start().to_owned());
    faults.collect::<Vec<_>>().join("; ")
}
