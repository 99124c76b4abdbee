//! The command line `ctl`.
//!
//! | to find | look in |
//! |---|---|
//! | `ctl load` | [`load`] |
//! | `ctl migrate` | [`migrate`] |
//! | `ctl verify` | [`verify`], [`verify_points`] |
//! | commands on a deployed stack | [`operations`] |
//! | `ctl redrive` | [`redrive`] |

mod load;
mod migrate;
mod operations;
mod redrive;
mod verify;
mod verify_points;
