//! The command line `ctl`.
//!
//! | to find | look in |
//! |---|---|
//! | `ctl load` | [`load`] |
//! | `ctl verify` | [`verify`] |
//! | commands on a deployed stack | [`operations`] |
//! | `ctl redrive` | [`redrive`] |

mod load;
mod operations;
mod redrive;
mod verify;
