//! Earning points.
//!
//! | to find | look in |
//! |---|---|
//! | the rate and the multipliers of an order | [`terms`] |
//! | what an order earns | [`award`] |
//! | the states of an order, and which of two is newer | [`order_state`] |
//! | an order that was edited, shipped in parts or cancelled | [`amendment`] |
//! | what a refund takes back, and what a voided refund gives back | [`refund`] |
//! | points given or taken by an operator | [`adjustment`] |
//! | the change of points and tier that awards and refunds share | [`change`] |

pub mod adjustment;
pub mod amendment;
pub mod award;
pub mod change;
pub mod order_state;
pub mod refund;
pub mod terms;
