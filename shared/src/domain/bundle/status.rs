//! The status of a bundle.

use serde::{Deserialize, Serialize};

/// What a bundle is at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

impl BundleStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Scheduled, Self::Active, Self::Paused, Self::Expired];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Expired => "expired",
        }
    }
}
