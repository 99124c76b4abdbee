//! `ctl verify`: the smoke test of a stack, deployed or local. Every system is used as a shop uses it, by the real clock,
//! in an org that is made for it and removed afterwards, whatever came of it; no other org is touched.
//!
//! A deployed function ignores `x-regulars-now`, so time is let pass here, and orders are dated back. What goes through
//! an index is waited for, for a while.

mod back_office;
mod bundles;
mod churn;
mod org_overview;
mod points;
mod run;
mod test_shop;
mod tiers;
mod weekly_report;

pub(crate) use run::run;
