//! The answer to a call.

use serde::Deserialize;
use serde_json::Value;
use shared::{
    domain::rejection::{RefusalCode, RejectionKind},
    host::{InFunction, Success, http_status},
};

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The body, or null if the body is not JSON.
    pub body: Value,
}

/// What an operation answers, or why it refuses.
pub type Outcome<A> = Result<Accepted<A>, Problem>;

/// The answer of an operation that succeeded.
#[derive(Debug, Clone)]
pub struct Accepted<A> {
    /// How the operation succeeded.
    pub success: Success,
    /// The answer.
    pub answer: A,
}

/// The problem object of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, thiserror::Error)]
#[serde(default)]
#[error("{status} {}", self.summary())]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The code. Empty if no function of Regulars has answered.
    pub code: String,
    /// The reason, for people.
    pub detail: String,
    /// The invalid fields.
    pub errors: Vec<FieldFault>,
}

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldFault {
    /// The path of the field.
    pub field: String,
    /// The rule that the field breaks.
    pub message: String,
}

/// An answer that the operation does not declare.
#[derive(Debug, thiserror::Error)]
#[error("{function} answers {operation} with what it does not declare")]
pub struct UnreadableAnswer {
    function: &'static str,
    operation: &'static str,
    source: serde_json::Error,
}

impl HttpAnswer {
    /// Whether the operation succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the answer of the operation `O`.
    pub fn read<O: InFunction>(&self) -> Result<Outcome<O::Answer>, UnreadableAnswer> {
        if !self.is_success() {
            return Ok(Err(self.problem()));
        }
        let unreadable = |source| UnreadableAnswer { function: O::FUNCTION, operation: O::OPERATION.name, source };
        let answer = O::Answer::deserialize(&self.body).map_err(unreadable)?;
        Ok(Ok(Accepted { success: self.success(), answer }))
    }

    /// The problem of a refusal.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem { status: self.status, ..Problem::read(&self.body) }
    }

    fn success(&self) -> Success {
        if self.status == Success::Created.http_status() {
            Success::Created
        } else if self.body.get("replayed") == Some(&Value::Bool(true)) {
            Success::Replayed
        } else {
            Success::Done
        }
    }
}

impl Problem {
    /// Reads a problem object. Another body gives an empty problem.
    #[must_use]
    pub fn read(body: &Value) -> Self {
        Self::deserialize(body).unwrap_or_default()
    }

    /// Whether the problem has this code.
    #[must_use]
    pub fn is(&self, code: RefusalCode) -> bool {
        self.code == code.name()
    }

    /// Whether the problem has the status of this kind, whatever its code.
    #[must_use]
    pub const fn is_of_kind(&self, kind: RejectionKind) -> bool {
        self.status == http_status(kind)
    }

    /// The code with each invalid field, or with the detail, on one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let errors: Vec<String> =
            self.errors.iter().map(|FieldFault { field, message }| format!("{field} {message}")).collect();
        let detail = if errors.is_empty() { self.detail.clone() } else { errors.join("; ") };
        format!("{}: {detail}", self.code)
    }
}
