//! A shop's week in figures, beside what they should be. All of it is worked out from what is on record: nothing is counted
//! only to be reported.
//!
//! | to find | look in |
//! |---|---|
//! | which days a week is | [`week`] |
//! | what is counted, and how | [`tally`] |
//! | what the figures are, their targets, and how they read | [`figures`] |

pub mod figures;
pub mod tally;
pub mod week;
