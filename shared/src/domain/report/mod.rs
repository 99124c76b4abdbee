//! The figures of a shop's week, and their targets. All figures are computed from existing records. Nothing is recorded
//! for the report alone.
//!
//! | to find | look in |
//! |---|---|
//! | the days of a week | [`week`] |
//! | the counting rules | [`tally`] |
//! | the figures, their targets and their text | [`figures`] |

pub mod figures;
pub mod tally;
pub mod week;
