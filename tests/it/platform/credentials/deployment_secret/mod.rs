//! The deployment's secret, read from Secrets Manager.
//!
//! | to find | look in |
//! |---|---|
//! | reads and rotations | [`reading`] |

mod reading;
