//! The stored form of a refund, or of the mark of a void that came first.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{account_snapshot::AccountSnapshotForm, values::money};
use crate::domain::{
    earning::refund::{Refund, RefundRecord, RefundVoid},
    ids::RefundId,
    money::Money,
    points::Points,
    time,
};

/// A refund. The mark of a void that came first has only the id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct RefundForm {
    refund_id: RefundId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<i64>,
    /// Absent from older refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    points: Option<Points>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<AccountSnapshotForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voided: Option<RefundVoidForm>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    after_expiry: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    voided_before: bool,
    /// Absent from refunds stored before refunds could be voided.
    #[serde(default = "first_version")]
    version: u64,
}

const fn first_version() -> u64 {
    1
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundVoidForm {
    #[serde(serialize_with = "time::serialize")]
    at: DateTime<Utc>,
    points: Points,
    outcome: AccountSnapshotForm,
}

impl RefundForm {
    pub(in crate::store) fn made(refund: &Refund, version: u64) -> Self {
        let void = |RefundVoid { at, points, outcome }: &RefundVoid| RefundVoidForm {
            at: *at,
            points: *points,
            outcome: outcome.into(),
        };
        Self {
            refund_id: refund.id.clone(),
            asked: refund.asked.map(Money::minor),
            total: refund.total.map(Money::minor),
            points: Some(refund.points),
            outcome: Some((&refund.outcome).into()),
            voided: refund.voided.as_ref().map(void),
            after_expiry: refund.after_expiry,
            voided_before: false,
            version,
        }
    }

    pub(in crate::store) fn voided_before(refund: &RefundId) -> Self {
        Self {
            refund_id: refund.clone(),
            asked: None,
            total: None,
            points: None,
            outcome: None,
            voided: None,
            after_expiry: false,
            voided_before: true,
            version: first_version(),
        }
    }
}

impl TryFrom<RefundForm> for (RefundRecord, u64) {
    type Error = &'static str;

    fn try_from(form: RefundForm) -> Result<Self, Self::Error> {
        if form.voided_before {
            return Ok((RefundRecord::VoidedBefore, form.version));
        }
        let void = |RefundVoidForm { at, points, outcome }| RefundVoid { at, points, outcome: outcome.into() };
        let refund = Refund {
            id: form.refund_id,
            asked: form.asked.map(money).transpose()?,
            total: form.total.map(money).transpose()?,
            points: form.points.ok_or("a refund without points")?,
            after_expiry: form.after_expiry,
            outcome: form.outcome.ok_or("a refund without an outcome")?.into(),
            voided: form.voided.map(void),
        };
        Ok((RefundRecord::Made(Box::new(refund)), form.version))
    }
}
