//! Awards points for orders, follows orders that change, reverses points for refunds, and restores points when a refund is voided. Each operation
//! updates the tier of the customer.
//!
//! The rules are in `shared::domain::earning`.

pub mod account;
pub mod amend;
pub mod award;
mod enrolment;
pub mod read;
pub mod refund;
pub mod refund_void;

use amend::AmendOrder;
use award::AwardOrder;
use read::GetAward;
use refund::RefundOrder;
use refund_void::VoidRefund;

shared::function!(
    "points-award": money AwardOrder, money AmendOrder, plain GetAward, money RefundOrder, money VoidRefund
);
