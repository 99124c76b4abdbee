//! The profile of a customer: what people set.

use crate::domain::text::SingleLine;

/// The data that a PUT of the customer replaces. An erasure removes all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerProfile {
    /// The given name.
    pub first_name: Option<SingleLine>,
    /// The family name.
    pub last_name: Option<SingleLine>,
    /// The e-mail address, as the request wrote it.
    pub email: Option<SingleLine>,
    /// The telephone number, as the request wrote it.
    pub phone: Option<SingleLine>,
    /// The number of a loyalty card, which no other customer has.
    pub card_number: Option<SingleLine>,
    /// Whether every order of the customer earns with the equity multiplier.
    pub equity_status: Option<bool>,
}
