//! Bundles: promotions with a schedule and with limits.
//!
//! | to find | look in |
//! |---|---|
//! | the offer of a bundle, and its limits | [`terms`] |
//! | dates, days of the week and time windows | [`schedule`] |
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
