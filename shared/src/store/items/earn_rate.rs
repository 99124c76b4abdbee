//! The stored form of an earn rate, which orgs and awards share.

use serde::{Deserialize, Serialize};

use super::values::money;
use crate::domain::rate::EarnRate;

/// A number of points for each full amount of money. The amount is in minor units.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EarnRateForm {
    points: i64,
    per: i64,
}

impl From<EarnRate> for EarnRateForm {
    fn from(EarnRate { points, per }: EarnRate) -> Self {
        Self { points: points.get(), per: per.get().minor() }
    }
}

impl TryFrom<EarnRateForm> for EarnRate {
    type Error = &'static str;

    fn try_from(EarnRateForm { points, per }: EarnRateForm) -> Result<Self, Self::Error> {
        Ok(Self { points: points.try_into()?, per: money(per)?.try_into()? })
    }
}
