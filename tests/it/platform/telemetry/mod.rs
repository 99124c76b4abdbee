//! Metrics and log lines.
//!
//! | to find | look in |
//! |---|---|
//! | one record per call | [`records`] |
//! | the figures in a record | [`figures`] |
//! | alarms, dashboard and queries that read the records | [`monitoring`] |
//! | personal data in log lines | [`log_privacy`] |

mod figures;
mod log_privacy;
mod monitoring;
mod records;
