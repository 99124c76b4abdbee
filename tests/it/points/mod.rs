//! Customers redeem points at checkout.
//!
//! | to find | look in |
//! |---|---|
//! | redemptions, voids, history | [`checkout`] |
//! | when points can be spent, and until when | [`expiry`], [`expiry_settings`] |
//! | expiries before and after they are recorded | [`due_entries`] |
//! | points that a checkout sets aside | [`holds`], [`holds_races`] |
//! | when points can be spent, holds and expiries: vectors | [`points_in_time`] |
//! | what holds for every history of a customer | [`histories`] |
//! | quotes and options | [`quotes`] |
//! | redemptions and voids at the same time | [`races`] |
//! | the rules: vectors and random balances | [`rules`] |
//! | helpers of these tests: a customer without a store | [`account`] |

mod account;
mod checkout;
mod due_entries;
mod expiry;
mod expiry_settings;
mod histories;
mod holds;
mod holds_races;
mod points_in_time;
mod quotes;
mod races;
mod rules;
