//! Calls with an expected answer. A difference is one line of text with the expected and the actual answer.

use anyhow::{Context, bail};
use client::{Call, HttpAnswer};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    domain::rejection::RefusalCode,
    host::{InFunction, Success, http_status},
};

/// A call with an expected answer.
pub(crate) struct Step<'a, O: InFunction> {
    /// Describes the call in messages.
    pub(crate) label: &'a str,
    pub(crate) call: Call<O>,
}

/// A field of an answer, and its expected value.
pub(crate) struct Field {
    /// The name in messages.
    name: &'static str,
    actual: Value,
    expected: Value,
}

/// A field of an answer, and its expected value, as JSON shows both.
pub(crate) fn field(name: &'static str, actual: impl Serialize, expected: impl Serialize) -> Field {
    Field { name, actual: json!(actual), expected: json!(expected) }
}

impl<O: InFunction> Step<'_, O> {
    /// Returns the answer. Fails unless the operation has succeeded in this way and the answer has these fields.
    pub(crate) fn accepted(
        &self,
        answer: &HttpAnswer,
        success: Success,
        fields: impl FnOnce(&O::Answer) -> Vec<Field>,
    ) -> anyhow::Result<O::Answer> {
        if answer.status != success.http_status() {
            return self.mismatch(&success.http_status().to_string(), &describe_answer(answer));
        }
        let accepted =
            answer.read::<O>().with_context(|| format!("{}: came {}", self.name(), describe_answer(answer)))??;
        let mut fields = fields(&accepted.answer);
        if success == Success::Replayed {
            fields.push(field("replayed", accepted.success == Success::Replayed, true));
        }
        check_fields(&self.name(), &fields)?;
        Ok(accepted.answer)
    }

    /// Fails unless the operation has refused with this code.
    pub(crate) fn refused(&self, answer: &HttpAnswer, code: RefusalCode) -> anyhow::Result<()> {
        let (status, problem) = (http_status(code.kind()), answer.problem());
        if answer.status == status && problem.is(code) {
            return Ok(());
        }
        self.mismatch(&format!("{status} {}", code.name()), &describe_answer(answer))
    }

    fn name(&self) -> String {
        let http = self.call.http();
        format!("{} ({} {})", self.label, http.method, http.function)
    }

    fn mismatch<T>(&self, expected: &str, actual: &str) -> anyhow::Result<T> {
        bail!("{}: expected {expected}, came {actual}", self.name())
    }
}

/// Fails unless each field has its expected value.
pub(crate) fn check_fields(label: &str, fields: &[Field]) -> anyhow::Result<()> {
    for Field { name, actual, expected } in fields {
        if !is_equal(actual, expected) {
            let actual = if actual.is_null() { "none".to_owned() } else { actual.to_string() };
            bail!("{label}: expected {name} {expected}, came {actual}");
        }
    }
    Ok(())
}

/// Describes an answer on one line of bounded length.
pub(crate) fn describe_answer(answer: &HttpAnswer) -> String {
    if answer.is_success() {
        let body: String = answer.body.to_string().chars().take(200).collect();
        return format!("{} {body}", answer.status);
    }
    let problem = answer.problem();
    if problem.code.is_empty() {
        return format!("{} from a server that is no function of Regulars", answer.status);
    }
    problem.to_string()
}

/// Whether two values are equal. Numbers are compared by value, so 5 equals 5.00.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}
