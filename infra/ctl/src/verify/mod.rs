//! `ctl verify`: the smoke test of a deployed or local stack.
//!
//! The smoke test uses every system as a shop does, by the real clock. It works in an org that it creates, and removes
//! the org whatever the result. It writes to no other org.
//!
//! A deployed function ignores `x-regulars-now`. So the smoke test waits for real time to pass, and dates orders back.
//! It polls lists for a while, because indexes lag.

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
