//! The template.
//!
//! | to find | look in |
//! |---|---|
//! | schedules | [`schedules`] |
//! | the state machine of the sweeps | [`state_machine`] |

mod schedules;
mod state_machine;
