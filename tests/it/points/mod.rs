//! Customers redeem points at checkout.
//!
//! | to find | look in |
//! |---|---|
//! | redemptions, voids, history | [`checkout`] |
//! | quotes and options | [`quotes`] |
//! | redemptions and voids at the same time | [`races`] |
//! | the rules: vectors and random balances | [`rules`] |

mod checkout;
mod quotes;
mod races;
mod rules;
