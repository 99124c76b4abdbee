//! The forms in which values are stored as items.
//!
//! A money amount is a whole number of minor units. A decimal is a text. An instant is RFC 3339 with three decimals. An
//! item that does not have the form of its type is an error and never reads as a default.
//!
//! | to find | look in |
//! |---|---|
//! | how a form becomes an item, and an item a value | [`form`] |
//! | how attributes that this release does not know survive a write | [`unknown`] |
//! | conversions that several forms share | [`values`], [`account_snapshot`], [`earn_rate`] |
//! | the event that an item emits | [`event`] |
//! | orgs | [`org`], [`org_key`], [`time_zone_change`] |
//! | customers | [`customer`], [`contact`], [`ledger_entry`], [`adjustment`], [`expiry_notice`] |
//! | closed days of orgs | [`closed_day`] |
//! | orders | [`order_header`], [`award`], [`refund`] |
//! | bundles | [`bundle`], [`transition`] |
//! | redemptions | [`redemption_state`], [`bundle_redemption`], [`points_redemption`] |
//! | churn | [`churn_model`], [`prediction`] |

pub(super) mod account_snapshot;
pub(super) mod adjustment;
pub(super) mod award;
pub(super) mod bundle;
pub(super) mod bundle_redemption;
pub(super) mod churn_model;
pub(super) mod closed_day;
pub(super) mod contact;
pub(super) mod customer;
pub(super) mod earn_rate;
pub(super) mod event;
pub(super) mod expiry_notice;
pub(super) mod form;
pub(super) mod ledger_entry;
mod lot;
pub(super) mod order_header;
pub(super) mod org;
pub(super) mod org_key;
pub(super) mod points_redemption;
pub(super) mod prediction;
pub(super) mod redemption_state;
pub(super) mod refund;
pub(super) mod time_zone_change;
pub(super) mod transition;
pub(super) mod unknown;
pub(super) mod values;
