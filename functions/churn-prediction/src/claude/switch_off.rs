//! The reasons for switching Claude off.

use strum::IntoStaticStr;

/// Why Claude is switched off for the rest of a call.
#[declare::answer]
#[derive(Copy, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SwitchOffReason {
    /// The key is not valid.
    Unauthorized,
    /// The account cannot pay.
    PaymentRequired,
    /// The key may not call the API.
    Forbidden,
    /// The account or the workspace reached its spend limit, or its balance is used up.
    SpendLimitReached,
    /// The API asks for a wait that is longer than the rest of the call.
    RateLimited,
    /// The third batch in a row failed because the API failed, or three requests in a row got no answer in time.
    Unavailable,
    /// The third batch in a row failed because the API rejected the request, for example for an unknown model.
    RequestRefused,
    /// The third batch in a row failed because no answer was usable.
    UnusableAnswers,
}

impl SwitchOffReason {
    /// The stable code of the reason, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }
}
