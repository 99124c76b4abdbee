//! Why a call stops asking Claude.

use strum::IntoStaticStr;

/// Why Claude is not asked any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SwitchOffReason {
    /// The key is not one, or not any more.
    Unauthorized,
    /// There is nothing to pay with.
    PaymentRequired,
    /// The key may not do this.
    Forbidden,
    /// What may be spent is spent, by the limit of the account or of the workspace.
    SpendLimitReached,
    /// The API says to come back when this call will be over.
    RateLimited,
    /// The API stays down.
    Unavailable,
    /// The API refuses what is asked, which is ours to mend: an unknown model, for one.
    RequestRefused,
    /// The model answers, and nothing that can be used.
    UnusableAnswers,
}

impl SwitchOffReason {
    /// The stable code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }
}
