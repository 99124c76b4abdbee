//! The stored form of an adjustment's idempotency record.

use serde::{Deserialize, Serialize};

use crate::domain::{earning::adjustment::Adjustment, ids::AdjustmentId, points::Points};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct AdjustmentForm {
    adjustment_id: AdjustmentId,
    points: Points,
    balance: Points,
}

impl From<&Adjustment> for AdjustmentForm {
    fn from(adjustment: &Adjustment) -> Self {
        let Adjustment { id, points, balance } = adjustment.clone();
        Self { adjustment_id: id, points, balance }
    }
}

impl TryFrom<AdjustmentForm> for Adjustment {
    type Error = &'static str;

    fn try_from(AdjustmentForm { adjustment_id, points, balance }: AdjustmentForm) -> Result<Self, Self::Error> {
        Ok(Self { id: adjustment_id, points, balance })
    }
}
