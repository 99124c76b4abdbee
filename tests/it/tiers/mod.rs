//! The recalculation of tiers.
//!
//! | to find | look in |
//! |---|---|
//! | inactivity, settings, dry runs | [`recalculation`] |
//! | cost, cursors and races of a run | [`runs`] |
//! | the rules: vectors and random customers | [`rules`] |

mod recalculation;
mod rules;
mod runs;
