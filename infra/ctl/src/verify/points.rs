//! Checks points: an order earns them once and its refund reverses them; a checkout redeems them once and a void
//! returns them.

use anyhow::bail;
use back_office::{
    activity::ListActivity,
    adjustments::{Adjust, AdjustmentRequest},
};
use client::value;
use points_award::{
    award::{AwardAnswer, AwardOrder, AwardRequest},
    refund::{RefundOrder, RefundRequest},
};
use points_redemption::{
    read::{QuotePoints, QuoteRequest},
    redeem::{PointsRedemptionAnswer, PointsRedemptionRequest, RedeemPoints},
    void::{PointsVoidRequest, VoidPointsRedemption},
};
use shared::{
    domain::{ids::CustomerId, rejection::RefusalCode},
    host::Success,
};

use super::{
    expected::field,
    test_shop::{CheckResult, TestShop},
};
use crate::{list::readable_record, requests};

pub(crate) async fn check_award(shop: &TestShop) -> CheckResult {
    let bo = shop.register("bo").await?;
    let award = |order: &str, total: &str, equity: bool| {
        let award = requests::award(&shop.org, &bo, value(order)?, value(total)?);
        anyhow::Ok(AwardRequest { equity_status: Some(equity), ..award })
    };
    let order = award("bo-1", "49.99", false)?;
    let has_earned = |answer: &AwardAnswer| {
        vec![field("pointsAwarded", answer.points_awarded, 49), field("balance", answer.account.balance, 49)]
    };
    shop.check::<AwardOrder>("an order of 49.99", &order, Success::Created, has_earned).await?;
    shop.check::<AwardOrder>("the same order again", &order, Success::Replayed, has_earned).await?;
    let (label, other_total) = ("the same order with another total", award("bo-1", "50", false)?);
    shop.check_refusal::<AwardOrder>(label, &other_total, RefusalCode::IdempotencyMismatch).await?;
    let (label, with_equity) = ("an order of 100 with equity status", award("bo-2", "100", true)?);
    shop.check::<AwardOrder>(label, &with_equity, Success::Created, |answer| {
        vec![
            field("pointsAwarded", answer.points_awarded, 120),
            field("balance", answer.account.balance, 169),
            field("tier", &answer.account.tier, "Bronze"),
        ]
    })
    .await?;
    let refund = RefundRequest {
        org_id: shop.org.clone(),
        customer_id: Some(bo.clone()),
        order_id: value("bo-1")?,
        refund_id: value("part")?,
        refund_total: Some(value(20)?),
        currency: None,
    };
    shop.check::<RefundOrder>("a refund of 20", &refund, Success::Created, |answer| {
        vec![field("pointsReversed", answer.points_reversed, 20), field("balance", answer.account.balance, 149)]
    })
    .await?;
    shop.check::<RefundOrder>("the same refund again", &refund, Success::Replayed, |answer| {
        vec![field("pointsReversed", answer.points_reversed, 20)]
    })
    .await?;
    shop.check_customer(&bo, |customer| {
        vec![
            field("points", customer.points, 149),
            field("lifetimeValue", customer.lifetime_value, 129.99),
            field("orderCount", customer.order_count, 2),
        ]
    })
    .await?;
    check_ledger_sum(shop, &bo, 149).await?;
    Ok("an order earned its points, once; equity status multiplied; a refund reversed some; the ledger adds up to 149"
        .into())
}

/// Fails unless the sum of a customer's entries and the balance after the newest entry are the expected balance.
pub(super) async fn check_ledger_sum(shop: &TestShop, customer: &CustomerId, balance: i64) -> anyhow::Result<()> {
    let entries = shop.list::<ListActivity>(requests::activity_of(&shop.org, customer)).await?;
    let entries: Vec<_> = entries.into_iter().filter_map(readable_record).collect();
    let sum: i64 = entries.iter().map(|entry| entry.points.0).sum();
    let last = entries.first().map(|entry| entry.balance.0);
    if sum == balance && last == Some(balance) {
        return Ok(());
    }
    let last = last.map_or_else(|| "none".to_owned(), |last| last.to_string());
    bail!(
        "the ledger of {customer}: expected a sum of {balance} and the same after its newest entry, came {sum} and {last}"
    )
}

pub(crate) async fn check_redemption(shop: &TestShop) -> CheckResult {
    let cy = shop.register("cy").await?;
    let gift = AdjustmentRequest {
        org_id: shop.org.clone(),
        customer_id: cy.clone(),
        adjustment_id: value("gift")?,
        points: value(260)?,
        reason: value("smoke test")?,
    };
    shop.check::<Adjust>("a gift of 260 points", &gift, Success::Created, |answer| {
        vec![field("balance", answer.balance, 260)]
    })
    .await?;
    let quote = QuoteRequest {
        org_id: shop.org.clone(),
        customer_id: cy.clone(),
        points: value(100)?,
        order_total: Some(value(50)?),
        currency: None,
    };
    shop.check::<QuotePoints>("a quote for 100 of 260 points", &quote, Success::Done, |quote| {
        vec![
            field("isValid", quote.is_valid, true),
            field("value", quote.value, 5),
            field("maxPoints", quote.max_points, 260),
            field("maxValue", quote.max_value, 15.6),
        ]
    })
    .await?;
    check_spending(shop, &cy).await?;
    shop.check_customer(&cy, |customer| vec![field("points", customer.points, 260)]).await?;
    check_ledger_sum(shop, &cy, 260).await?;
    Ok("a quote was right, points were redeemed once, too many were rejected, a void returned them, once".into())
}

/// Redeems 100 of 260 points for an order, and voids the redemption.
async fn check_spending(shop: &TestShop, customer: &CustomerId) -> anyhow::Result<()> {
    let redeem = |order: &str, points: u32| {
        anyhow::Ok(PointsRedemptionRequest {
            org_id: shop.org.clone(),
            customer_id: customer.clone(),
            order_id: value(order)?,
            points: value(points)?,
            order_total: value(50)?,
            currency: None,
        })
    };
    let (redemption, too_many) = (redeem("cy-1", 100)?, redeem("cy-2", 500)?);
    let is_redeemed = |answer: &PointsRedemptionAnswer| {
        vec![
            field("pointsRedeemed", answer.points_redeemed, 100),
            field("value", answer.value, 5),
            field("balance", answer.balance, 160),
        ]
    };
    shop.check::<RedeemPoints>("100 points for an order", &redemption, Success::Created, is_redeemed).await?;
    let label = "the same points for the same order";
    shop.check::<RedeemPoints>(label, &redemption, Success::Replayed, is_redeemed).await?;
    let label = "500 points, more than the balance";
    shop.check_refusal::<RedeemPoints>(label, &too_many, RefusalCode::InsufficientPoints).await?;
    let PointsRedemptionRequest { org_id, customer_id, order_id, .. } = redemption;
    let void = PointsVoidRequest { org_id, customer_id: Some(customer_id), order_id };
    for (label, success) in [("the void of the order", Success::Done), ("the same void again", Success::Replayed)] {
        shop.check::<VoidPointsRedemption>(label, &void, success, |answer| {
            vec![
                field("voided", answer.voided, true),
                field("pointsReturned", answer.points_returned, 100),
                field("balance", answer.balance, 260),
            ]
        })
        .await?;
    }
    Ok(())
}
