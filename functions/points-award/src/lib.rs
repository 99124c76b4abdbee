//! Awards points for orders, reverses points for refunds, and restores points when a refund is voided. Each operation
//! updates the tier of the customer.
//!
//! The rules are in `shared::domain::earning`.

pub mod account;
pub mod award;
pub mod refund;
pub mod refund_void;

use award::AwardOrder;
use refund::RefundOrder;
use refund_void::VoidRefund;

shared::function!("points-award": money AwardOrder, money RefundOrder, money VoidRefund);
