//! Log lines, and one metrics record for each call.
//!
//! | to find | look in |
//! |---|---|
//! | the format and the bounds of log lines | [`log`] |
//! | every custom metric | [`metric`] |
//! | the metrics record of a call | [`record`] |

pub mod log;
pub mod metric;
pub mod record;
