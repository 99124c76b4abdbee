//! The status of a bundle.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::names::named;

/// The status of a bundle at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum BundleStatus {
    /// Not published yet.
    Draft,
    /// Published, before its start.
    Scheduled,
    /// Active.
    Active,
    /// Not active for now, by the operator or outside of its time window.
    Paused,
    /// Over: ended by the operator, past its end, or at its redemption limit.
    Expired,
}

named!(BundleStatus);
