//! Points in time: when points can be spent, until when, and what a checkout has set aside.
//!
//! Everything is a function of what is stored and the clock. No job has to run for a figure to be right.
//!
//! | to find | look in |
//! |---|---|
//! | points with dates, and the order in which they are taken | [`lot`] |
//! | the lots, the holds and the debt of a customer, and what the clock does to them | [`account`] |
//! | points that a checkout has set aside | [`hold`] |
//! | the ledger entries of what is due | [`due`] |
//! | the dates of points that are earned now | [`dates`] |
//! | notices of points that expire soon | [`notice`] |

pub mod account;
pub mod dates;
pub mod due;
pub mod hold;
pub mod lot;
pub mod notice;
