//! The weekly report.
//!
//! | to find | look in |
//! |---|---|
//! | the figures | [`figures`] |
//! | runs over all orgs | [`runs`] |
//! | messages to Slack | [`channel`] |
//! | helpers of these tests | [`support`] |

mod channel;
mod figures;
mod runs;
mod support;
