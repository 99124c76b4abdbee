//! The rules as pure functions and types. They do no I/O, read no clock and no environment, and are not async: `now` is
//! an argument.
//!
//! Serde is implemented by value types alone: ids, amounts, points, rates, texts, decimals, instants and named
//! enumerations. Answers, stored items and requests to Claude have types of their own outside this module.
//!
//! | to find | look in |
//! |---|---|
//! | what an order earns, what a refund takes back, adjustments | [`earning`] |
//! | what points are worth at checkout, and what a void gives back | [`points_redemption`] |
//! | when points can be spent, when they expire, and what a checkout sets aside | [`lots`] |
//! | points that a checkout sets aside for an order | [`points_hold`] |
//! | the tier of a customer at an instant | [`tier`] |
//! | promotions and demotions by the nightly run | [`recalculation`] |
//! | segments: new, loyal, slipping, churned … | [`segment`] |
//! | the risk that a customer leaves | [`churn`] |
//! | the status of a bundle, and which customer may redeem it | [`bundle`] |
//! | whether an order redeemed a bundle or points | [`redemption_state`] |
//! | the settings of an org | [`org`], [`loyalty`] |
//! | what is stored about a customer | [`customer`], [`profile`], [`orders`] |
//! | what stays of an erased customer | [`erasure`] |
//! | telephone numbers, addresses and cards by which customers are found | [`contact`], [`lookups`] |
//! | the entries of the ledger | [`ledger`] |
//! | what an org owes its customers in points | [`liability`] |
//! | the figures of an org's week, and their targets | [`report`] |
//! | keys that act for one org | [`org_key`] |
//! | the days and clock times of an org | [`zone`] |
//! | every rejection and its code | [`rejection`], `field_errors` |
//! | enumerations by their names | `names` |
//! | amounts, rates, ids, texts, instants | [`money`], [`points`], [`rate`], [`decimal`], [`ids`], [`text`], [`time`] |

pub mod bundle;
pub mod churn;
pub mod contact;
pub mod customer;
pub mod decimal;
pub mod earning;
pub mod erasure;
mod field_errors;
pub mod ids;
pub mod ledger;
pub mod liability;
pub mod lookups;
pub mod lots;
pub mod loyalty;
pub mod money;
mod names;
pub mod orders;
pub mod org;
pub mod org_key;
pub mod points;
pub mod points_hold;
pub mod points_redemption;
pub mod profile;
pub mod rate;
pub mod recalculation;
pub mod redemption_state;
pub mod rejection;
pub mod report;
pub mod segment;
pub mod text;
pub mod tier;
pub mod time;
pub mod zone;
