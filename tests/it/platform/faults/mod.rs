//! Faults between a function and the store.
//!
//! | to find | look in |
//! |---|---|
//! | faults at every request | [`points`] |

mod points;
