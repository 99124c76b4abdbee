//! Bundles: promotional deals, on for a time and within limits.

pub mod schedule;

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use self::schedule::Schedule;

/// A bundle, as far as its status depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What the operator wants of it.
    pub desired: DesiredState,
    /// When it is to be on.
    pub schedule: Schedule,
    /// How often it can be redeemed; without, as often as anybody likes.
    pub max_redemptions: Option<NonZeroU64>,
    /// Redemptions that count; a void gives its own back.
    pub redemptions: u64,
}

/// What the operator wants of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DesiredState {
    /// Not to be seen yet.
    #[default]
    Draft,
    /// On, as its schedule says.
    Published,
    /// Off for now.
    Paused,
    /// Over for good.
    Ended,
}

impl Bundle {
    /// Whether its limit is reached.
    #[must_use]
    pub fn is_sold_out(&self) -> bool {
        self.max_redemptions.is_some_and(|max| self.redemptions >= max.get())
    }
}
