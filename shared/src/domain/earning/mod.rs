//! Earning points.
//!
//! | to find | look in |
//! |---|---|
//! | the rate and the multipliers of an order | [`terms`] |
//! | what an order earns | [`award`] |
//! | what a refund takes back, and what a voided refund gives back | [`refund`] |
//! | points given or taken by an operator | [`adjustment`] |
//! | the change of points and tier that awards and refunds share | [`change`] |

pub mod adjustment;
pub mod award;
pub mod change;
pub mod refund;
pub mod terms;
