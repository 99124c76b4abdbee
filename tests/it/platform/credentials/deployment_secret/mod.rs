//! The deployment's secret, read from Secrets Manager while functions run.
//!
//! | to find | look in |
//! |---|---|
//! | reads, rotations, logs | [`reading`] |
//! | the secrets that are accepted, as a rule | [`rotation`] |
//! | a Secrets Manager that fails | [`failures`] |
//! | settings of processes and of the template | [`settings`] |
//! | helpers of these tests | [`support`] |

mod failures;
mod reading;
mod rotation;
mod settings;
mod support;
