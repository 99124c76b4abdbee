//! The job that records expired points, and the liability of an org.
//!
//! | to find | look in |
//! |---|---|
//! | what a run records, and its cost | [`recording`] |
//! | notices of points that expire soon | [`notices`] |
//! | closed days | [`days`] |
//! | every day of the purchase log | [`purchase_log`] |
//! | runs that stop, and what may happen meanwhile | [`runs`] |

mod days;
mod notices;
mod purchase_log;
mod recording;
mod runs;
mod support;
