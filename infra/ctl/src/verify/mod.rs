//! `ctl verify`: the smoke test of a deployed or local stack.
//!
//! The smoke test uses every system as a shop does, by the real clock. It creates an org, works only in this org, and
//! removes the org regardless of the result.
//!
//! A deployed function ignores `x-regulars-now`. The smoke test therefore waits for real time to pass, and sends orders
//! with past dates. It polls lists for a while, because indexes lag.

mod back_office;
mod bundles;
mod churn;
mod expected;
mod org_overview;
mod points;
mod points_expiry;
mod run;
mod test_shop;
mod tiers;
mod weekly_report;

pub(crate) use run::run;
