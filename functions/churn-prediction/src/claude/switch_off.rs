//! The reasons for switching Claude off.

use strum::IntoStaticStr;

/// Why Claude is switched off for the rest of a call.
#[declare::answer]
#[derive(Copy, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SwitchOffReason {
    /// The API does not accept the key.
    Unauthorized,
    /// The API asks for a payment.
    PaymentRequired,
    /// The key has no permission for the request.
    Forbidden,
    /// The account or the workspace has reached a spend limit, or its balance is empty.
    SpendLimitReached,
    /// The API asks for a wait longer than the rest of the call.
    RateLimited,
    /// The API fails or does not respond, repeatedly.
    Unavailable,
    /// The API rejects the requests, for example because the configured model is unknown.
    RequestRefused,
    /// The model's answers contain no usable verdict.
    UnusableAnswers,
}

impl SwitchOffReason {
    /// The stable code of the reason, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }
}
