//! The stored form of the account snapshot in the records of awards, refunds and voids.

use serde::{Deserialize, Serialize};

use super::values::if_known;
use crate::domain::{
    earning::change::AccountSnapshot,
    points::Points,
    text::SingleLine,
    tier::{TierCause, TierChange},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountSnapshotForm {
    balance: Points,
    tier: SingleLine,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    tier_change: Option<TierChangeForm>,
}

#[derive(Serialize, Deserialize)]
struct TierChangeForm {
    from: SingleLine,
    to: SingleLine,
    cause: TierCause,
}

impl From<TierChange> for TierChangeForm {
    fn from(TierChange { from, to, cause }: TierChange) -> Self {
        Self { from, to, cause }
    }
}

impl From<TierChangeForm> for TierChange {
    fn from(TierChangeForm { from, to, cause }: TierChangeForm) -> Self {
        Self { from, to, cause }
    }
}

impl From<&AccountSnapshot> for AccountSnapshotForm {
    fn from(snapshot: &AccountSnapshot) -> Self {
        let AccountSnapshot { balance, tier, tier_change } = snapshot.clone();
        Self { balance, tier, tier_change: tier_change.map(TierChangeForm::from) }
    }
}

impl From<AccountSnapshotForm> for AccountSnapshot {
    fn from(AccountSnapshotForm { balance, tier, tier_change }: AccountSnapshotForm) -> Self {
        Self { balance, tier, tier_change: tier_change.map(TierChange::from) }
    }
}
