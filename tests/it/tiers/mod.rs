//! The recalculation of tiers.
//!
//! | to find | look in |
//! |---|---|
//! | runs of the job | [`recalculation`] |

mod recalculation;
