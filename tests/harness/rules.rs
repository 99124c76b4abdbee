//! Rules, with the arguments that most tests need.

use chrono::{DateTime, Utc};
use shared::domain::{
    customer::Customer,
    earning::{
        award::{self, Awarded, Order},
        order_state::OrderState,
    },
    loyalty::Loyalty,
    rejection::Rejection,
    zone::Zone,
};

/// Awards an order, of which no other state is known.
pub fn award(
    customer: &Customer,
    loyalty: &Loyalty,
    zone: Zone,
    order: Order,
    now: DateTime<Utc>,
) -> Result<Awarded, Rejection> {
    let state = OrderState::placed(order.total, order.fulfilled_at);
    award::award(customer, (loyalty, zone), order, state, now)
}
