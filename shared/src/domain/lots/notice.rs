//! Notices of points that expire soon.

use chrono::{DateTime, TimeDelta, Utc};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::account::PointsAccount;
use crate::domain::{names::named, points::Points};

/// How long before the deadline a notice is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
pub enum NoticeLead {
    /// 7 days.
    #[strum(serialize = "7_days")]
    SevenDays,
    /// 30 days.
    #[strum(serialize = "30_days")]
    ThirtyDays,
}

named!(NoticeLead);

impl NoticeLead {
    /// The number of days.
    #[must_use]
    pub const fn days(self) -> u8 {
        match self {
            Self::SevenDays => 7,
            Self::ThirtyDays => 30,
        }
    }

    /// The instant from which the notice of a deadline is due.
    fn due_at(self, deadline: DateTime<Utc>) -> DateTime<Utc> {
        deadline - TimeDelta::days(self.days().into())
    }
}

/// A notice that points expire soon. It is given once for each deadline and lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryNotice {
    /// When the points expire.
    pub deadline: DateTime<Utc>,
    /// How long before the deadline the notice is given.
    pub lead: NoticeLead,
    /// The points that expire then. Points on hold are left out.
    pub points: Points,
    /// All points of the customer.
    pub balance: Points,
    /// When the notice is given.
    pub at: DateTime<Utc>,
}

/// The notices that fell due after `since` and by `now`. Of two notices of one deadline, only the one with the shorter
/// lead is given, because the other would come too late.
///
/// The account must be up to date.
#[must_use]
pub fn notices_due(account: &PointsAccount, since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<ExpiryNotice> {
    let upcoming = account.expiring().into_iter().filter(|(deadline, _)| *deadline > now);
    let notice = |(deadline, points)| {
        let is_due = |lead: &NoticeLead| (since < lead.due_at(deadline)) && lead.due_at(deadline) <= now;
        let lead = NoticeLead::ALL.iter().copied().find(is_due)?;
        Some(ExpiryNotice { deadline, lead, points, balance: account.points(), at: now })
    };
    upcoming.filter_map(notice).collect()
}
