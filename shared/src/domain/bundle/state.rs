//! A bundle: its terms, its usage and its recorded status.

use chrono::{DateTime, Utc};

use super::{status::BundleStatus, terms::BundleTerms};
use crate::domain::{ids::BundleId, money::Money, zone::Zone};

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The id of the bundle.
    pub id: BundleId,
    /// When the bundle was created. `None` for bundles stored before this field existed.
    pub created_at: Option<DateTime<Utc>>,
    /// The terms.
    pub terms: BundleTerms,
    /// The usage counters.
    pub usage: Usage,
    /// The recorded status. [`status_at`](super::timeline::status_at) returns the current one.
    pub recorded: RecordedStatus,
}

/// The usage counters of a bundle. A voided redemption no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The number of redemptions.
    pub redemptions: u64,
    /// The number of customers with a redemption.
    pub customers: u64,
    /// The total savings of all redemptions.
    pub savings: Money,
    /// Whether the bundle ever had a redemption, including a voided one.
    pub ever_redeemed: bool,
}

impl Usage {
    /// The usage of a bundle without redemptions.
    pub const NONE: Self = Self { redemptions: 0, customers: 0, savings: Money::ZERO, ever_redeemed: false };

    /// The average savings of a redemption, floored to the minor unit. It is 0 without redemptions.
    #[must_use]
    pub fn average_savings(&self) -> Money {
        let count = i64::try_from(self.redemptions).ok();
        let average = count.and_then(|count| self.savings.minor().checked_div(count));
        average.and_then(Money::from_minor).unwrap_or(Money::ZERO)
    }
}

/// The last recorded status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedStatus {
    /// The status.
    pub status: BundleStatus,
    /// The instant up to which the status is recorded. Every change before it is recorded.
    pub at: DateTime<Utc>,
    /// The time zone by which the status was evaluated.
    pub zone: Zone,
    /// Whether the status was evaluated by older time zone rules than the rules of this process. The next change may
    /// then be due at another instant.
    pub is_outdated: bool,
}

impl Bundle {
    /// Whether the bundle existed at an instant. A bundle without a creation date always existed.
    #[must_use]
    pub fn existed_at(&self, at: DateTime<Utc>) -> bool {
        self.created_at.is_none_or(|created_at| created_at <= at)
    }

    /// Whether the redemption limit is reached.
    #[must_use]
    pub fn is_sold_out(&self) -> bool {
        self.terms.max_redemptions.is_some_and(|max| self.usage.redemptions >= max.get())
    }
}
