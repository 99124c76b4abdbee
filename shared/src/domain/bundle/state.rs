//! A bundle: its terms, its usage and its recorded status.

use chrono::{DateTime, Utc};

use super::{status::BundleStatus, terms::BundleTerms};
use crate::domain::{ids::BundleId, money::Money, zone::Zone};

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Its id.
    pub id: BundleId,
    /// When it was made; `None`: not known, it was made before this was kept.
    pub created_at: Option<DateTime<Utc>>,
    /// What people set of it.
    pub terms: BundleTerms,
    /// What was redeemed of it.
    pub usage: Usage,
    /// Its status as last recorded; [`schedule::status_at`] says what it is now.
    pub recorded: RecordedStatus,
}

/// What was redeemed of a bundle. What a void gives back no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How often it is redeemed.
    pub redemptions: u64,
    /// By how many customers.
    pub customers: u64,
    /// What they saved together.
    pub savings: Money,
    /// Whether it was redeemed at all, voided or not.
    pub ever_redeemed: bool,
}

impl Usage {
    /// Of a bundle that nobody has redeemed.
    pub const NONE: Self = Self { redemptions: 0, customers: 0, savings: Money::ZERO, ever_redeemed: false };

    /// What one redemption saved, floored to the cent; nothing without any.
    #[must_use]
    pub fn average_savings(&self) -> Money {
        let count = i64::try_from(self.redemptions).ok();
        let average = count.and_then(|count| self.savings.minor().checked_div(count));
        average.and_then(Money::from_minor).unwrap_or(Money::ZERO)
    }
}

/// The status as last recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedStatus {
    /// The status.
    pub status: BundleStatus,
    /// The instant for which it was recorded: everything before is on record.
    pub at: DateTime<Utc>,
    /// The time zone by which it was judged.
    pub zone: Zone,
    /// Whether that was by older zone rules than those of this process: what is due by them may be at another instant now.
    pub is_outdated: bool,
}

impl Bundle {
    /// Whether it had been made by an instant; of one that was made before this was kept, it is taken for granted.
    #[must_use]
    pub fn existed_at(&self, at: DateTime<Utc>) -> bool {
        self.created_at.is_none_or(|created_at| created_at <= at)
    }

    /// Whether its limit is reached.
    #[must_use]
    pub fn is_sold_out(&self) -> bool {
        self.terms.max_redemptions.is_some_and(|max| self.usage.redemptions >= max.get())
    }
}
