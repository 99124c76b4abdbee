//! What jobs over every org share.
//!
//! | to find | look in |
//! |---|---|
//! | pages of orgs, a deadline, a cursor | [`sweep`] |
//! | the report of a sweep, org by org | [`report`] |
//! | bringing the recorded status of bundles up to date | [`bundle_status`] |

pub mod bundle_status;
pub mod report;
pub mod sweep;
