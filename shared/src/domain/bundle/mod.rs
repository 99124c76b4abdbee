//! Bundles: promotional deals, active for a time and within limits.
//!
//! | to find | look in |
//! |---|---|
//! | what a bundle offers, and its limits | [`terms`] |
//! | dates, days of the week and windows | [`schedule`] |
//! | the status at an instant | [`timeline`] |
//! | the names of statuses | [`status`] |
//! | usage and the recorded status | [`state`] |
//! | the record of a change of status | [`transition`] |
//! | which customer may redeem, and what a void gives back | [`redemption`] |

pub mod redemption;
pub mod schedule;
pub mod state;
pub mod status;
pub mod terms;
pub mod timeline;
pub mod transition;
