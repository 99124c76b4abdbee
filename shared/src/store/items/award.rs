//! The stored form of an award.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    account_snapshot::AccountSnapshotForm,
    earn_rate::EarnRateForm,
    values::{decimal, money},
};
use crate::domain::{
    earning::{
        award::{Award, Order},
        order_state::{Amendment, OrderState},
        terms::EarningTerms,
    },
    ids::{CustomerId, OrderId},
    lots::lot::LotDates,
    money::Money,
    points::Points,
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct AwardForm {
    order_id: OrderId,
    customer_id: CustomerId,
    order_total: i64,
    equity_status: bool,
    #[serde(serialize_with = "time::serialize")]
    fulfilled_at: DateTime<Utc>,
    points_per_dollar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earn_rate: Option<EarnRateForm>,
    equity_multiplier: String,
    tier_multiplier: String,
    points: Points,
    outcome: AccountSnapshotForm,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    available_at: Option<DateTime<Utc>>,
    #[serde(default, serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remaining: Option<i64>,
    /// The newest state. Absent if it is that of the first request, as of `fulfilledAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<OrderStateForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amendment: Option<AmendmentForm>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderStateForm {
    order_total: i64,
    #[serde(serialize_with = "time::serialize")]
    as_of: DateTime<Utc>,
    /// The amount refunded of a cancelled order, of which nothing remains. Otherwise it is the total less what remains,
    /// so that the refunds of a version without states count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancelled_after_refunds: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct AmendmentForm {
    points: Points,
    outcome: AccountSnapshotForm,
}

impl OrderStateForm {
    /// Returns `None` for the state of the first request.
    fn of(award: &Award) -> Option<Self> {
        let Award { state, order, refunded, .. } = award;
        if *state == OrderState::placed(order.total, order.fulfilled_at) {
            return None;
        }
        let cancelled_after_refunds = state.cancelled.then(|| refunded.minor());
        Some(Self { order_total: state.total.minor(), as_of: state.as_of, cancelled_after_refunds })
    }
}

impl AwardForm {
    pub(in crate::store) fn new(award: &Award, version: u64) -> Self {
        Self {
            order_id: award.order.id.clone(),
            customer_id: award.order.customer.clone(),
            order_total: award.order.total.minor(),
            equity_status: award.order.equity_status,
            fulfilled_at: award.order.fulfilled_at,
            points_per_dollar: award.terms.points_per_dollar.get().to_string(),
            earn_rate: award.terms.earn_rate.map(EarnRateForm::from),
            equity_multiplier: award.terms.equity.get().to_string(),
            tier_multiplier: award.terms.tier.get().to_string(),
            points: award.points,
            outcome: (&award.outcome).into(),
            available_at: award.dates.available_at,
            expires_at: award.dates.expires_at,
            remaining: award.remaining.map(Money::minor),
            state: OrderStateForm::of(award),
            amendment: award
                .amendment
                .as_ref()
                .map(|Amendment { points, outcome }| AmendmentForm { points: *points, outcome: outcome.into() }),
            version,
        }
    }
}

impl TryFrom<AwardForm> for (Award, u64) {
    type Error = &'static str;

    fn try_from(form: AwardForm) -> Result<Self, Self::Error> {
        let order = Order {
            id: form.order_id,
            customer: form.customer_id,
            total: money(form.order_total)?,
            equity_status: form.equity_status,
            fulfilled_at: form.fulfilled_at,
        };
        let terms = EarningTerms {
            points_per_dollar: decimal(&form.points_per_dollar)?,
            earn_rate: form.earn_rate.map(TryInto::try_into).transpose()?,
            equity: decimal(&form.equity_multiplier)?,
            tier: decimal(&form.tier_multiplier)?,
        };
        let remaining = form.remaining.map(money).transpose()?;
        let dates = LotDates { available_at: form.available_at, expires_at: form.expires_at };
        let (state, cancelled_after_refunds) = match form.state {
            None => (OrderState::placed(order.total, order.fulfilled_at), None),
            Some(OrderStateForm { as_of, cancelled_after_refunds: Some(refunded), .. }) => {
                (OrderState::cancelled(as_of), Some(money(refunded)?))
            }
            Some(OrderStateForm { order_total, as_of, .. }) => (OrderState::placed(money(order_total)?, as_of), None),
        };
        let refunded = cancelled_after_refunds.or_else(|| state.total.minus(remaining.unwrap_or(Money::ZERO)));
        let amendment = form.amendment;
        let value = Award {
            order,
            terms,
            points: form.points,
            outcome: form.outcome.into(),
            dates,
            state,
            refunded: refunded.unwrap_or(Money::ZERO),
            remaining,
            amendment: amendment.map(|AmendmentForm { points, outcome }| Amendment { points, outcome: outcome.into() }),
        };
        Ok((value, form.version))
    }
}
