//! Metrics and log lines.
//!
//! | to find | look in |
//! |---|---|
//! | one record a call, and what reads the records | [`records`] |
//! | the figures in a record | [`figures`] |
//! | personal data in log lines | [`log_privacy`] |

mod figures;
mod log_privacy;
mod records;
