//! The stored form of the account snapshot in the records of awards, refunds and voids.

use serde::{Deserialize, Serialize};

use super::values::if_known;
use crate::domain::{earning::change::AccountSnapshot, points::Points, text::SingleLine, tier::TierChange};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountSnapshotForm {
    balance: Points,
    tier: SingleLine,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    tier_change: Option<TierChange>,
}

impl From<&AccountSnapshot> for AccountSnapshotForm {
    fn from(snapshot: &AccountSnapshot) -> Self {
        let AccountSnapshot { balance, tier, tier_change } = snapshot.clone();
        Self { balance, tier, tier_change }
    }
}

impl From<AccountSnapshotForm> for AccountSnapshot {
    fn from(AccountSnapshotForm { balance, tier, tier_change }: AccountSnapshotForm) -> Self {
        Self { balance, tier, tier_change }
    }
}
