//! The parts that jobs over every org share.
//!
//! | to find | look in |
//! |---|---|
//! | one call of a sweep: pages of orgs, a deadline, a cursor | [`sweep`] |
//! | lists that a job reads completely | [`pages`] |
//! | commits of listed values, which may lag | [`fresh`] |
//! | the report of a sweep, org by org | [`report`] |
//! | bringing the recorded status of bundles up to date | [`bundle_status`] |

pub mod bundle_status;
pub mod fresh;
pub mod pages;
pub mod report;
pub mod sweep;
