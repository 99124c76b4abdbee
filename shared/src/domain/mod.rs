//! The rules, as pure functions and types. No I/O, no clock, no environment, no async: `now` is an argument.
//!
//! | to find | look in |
//! |---|---|
//! | what an order earns | [`award`] |
//! | what a refund takes back | [`refund`] |
//! | what points buy at checkout, and what a void gives back | [`redemption`] |
//! | points given or taken by hand | [`adjustment`] |
//! | which tier somebody holds | [`tier`] |
//! | who is promoted or lowered by the nightly run | [`recalculation`] |
//! | new, loyal, slipping, churned … | [`segment`] |
//! | who is about to leave | [`churn`] |
//! | when a bundle is on, who may redeem it | [`bundle`] |
//! | what a shop can set | [`org`], [`loyalty`] |
//! | what is kept about a customer | [`customer`] |
//! | what stands in the ledger | [`ledger`] |
//! | a shop's week in figures, beside their targets | [`report`] |
//! | keys that act for one org | [`key`] |
//! | a shop's days and clock times | [`zone`] |
//! | why a rule says no | [`rejection`] |

pub mod adjustment;
pub mod award;
pub mod bundle;
pub mod churn;

pub mod customer;
pub mod ids;

pub mod ledger;
pub mod loyalty;
pub mod money;
pub mod org;
pub mod org_key;
pub mod points;
pub mod points_redemption;
pub mod rate;
pub mod recalculation;

pub mod redemption_state;
pub mod refund;
pub mod rejection;
pub mod report;
pub mod segment;
pub mod text;
pub mod tier;
pub mod time;
pub mod zone;
