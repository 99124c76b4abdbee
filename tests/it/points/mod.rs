//! Customers redeem points at checkout.
//!
//! | to find | look in |
//! |---|---|
//! | redemptions, voids, history | [`checkout`] |

mod checkout;
