//! Redeems bundles for orders within their limits, voids redemptions, and answers queries about both.
//!
//! The rules for redemptions and voids are in `shared::domain::bundle::redemption`.

pub mod orders;
pub mod read;
pub mod redeem;
pub mod void;

use orders::{RedeemOrder, VoidOrder};
use read::{CheckEligibility, GetBundleStats, ListBundleRedemptions};
use redeem::RedeemBundle;
use void::VoidBundleRedemption;

shared::function!(
    "bundle-redemption":
    plain RedeemBundle,
    plain VoidBundleRedemption,
    list ListBundleRedemptions,
    plain CheckEligibility,
    plain GetBundleStats,
    plain RedeemOrder,
    plain VoidOrder,
);
