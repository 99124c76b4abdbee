//! The status of a bundle.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::names::named;

/// What a bundle is at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum BundleStatus {
    /// Not published yet.
    Draft,
    /// Published, before its start.
    Scheduled,
    /// On.
    Active,
    /// Off for now: by the operator, or outside its time window.
    Paused,
    /// Over: ended, past its end, or sold out.
    Expired,
}

named!(BundleStatus);
