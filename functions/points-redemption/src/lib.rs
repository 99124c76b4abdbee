//! Quotes, holds, redeems and voids points against an order at checkout.
//!
//! `shared::domain::points_redemption` defines the value of points and the rules of a redemption.

pub mod hold;
pub mod read;
pub mod redeem;
pub mod void;

use hold::{HoldPoints, ReleasePoints};
use read::{ListOptions, ListPointsRedemptions, QuotePoints};
use redeem::RedeemPoints;
use void::VoidPointsRedemption;

shared::function!(
    "points-redemption":
    plain QuotePoints,
    money HoldPoints,
    money ReleasePoints,
    money RedeemPoints,
    money VoidPointsRedemption,
    plain ListOptions,
    list ListPointsRedemptions,
);
