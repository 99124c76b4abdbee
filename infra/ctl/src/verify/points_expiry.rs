//! Checks points with dates: earned points wait, a hold sets points aside and returns them, an order that comes too late
//! earns points that expire at once. A dry run of the job reports no error.

use anyhow::Context;
use chrono::{DateTime, Datelike, Months, NaiveTime, Utc};
use client::value;
use points_award::award::AwardAnswer;
use points_expiry::expire::{ExpirePoints, ExpiryRequest};
use points_redemption::hold::{HoldPoints, HoldPointsRequest, ReleasePoints, ReleasePointsRequest};
use shared::{clock, domain::ids::CustomerId, host::Success};

use super::{
    expected::field,
    points::check_ledger_sum,
    test_shop::{CheckResult, EXPIRY_MONTHS, TestShop, days_ago},
};

/// How many days ago the first order was fulfilled. Its points can be spent, and none of them has expired.
const AVAILABLE_FOR_DAYS: i64 = 30;

/// How many days ago the late order was fulfilled. Its points have expired, whatever the month.
const EXPIRED_FOR_DAYS: i64 = 800;

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    let fay = shop.register("fay").await?;
    let fulfilled_at = days_ago(AVAILABLE_FOR_DAYS);
    let expires_at = expiry(fulfilled_at).context("the expiry is out of range")?;
    let earned = |points: i64, balance: i64| {
        move |answer: &AwardAnswer| {
            vec![
                field("pointsAwarded", answer.points_awarded, points),
                field("balance", answer.account.balance, balance),
            ]
        }
    };
    let dated = |answer: &AwardAnswer| {
        vec![field("pointsAwarded", answer.points_awarded, 300), field("expiresAt", answer.expires_at, expires_at)]
    };
    shop.award((&fay, "fay-1", 300), fulfilled_at, dated).await?;
    shop.award((&fay, "fay-2", 50), clock::now(), earned(50, 350)).await?;
    check_figures(shop, &fay, [350, 300, 50, 0]).await?;

    check_hold(shop, &fay).await?;

    shop.award((&fay, "fay-4", 20), days_ago(EXPIRED_FOR_DAYS), earned(20, 350)).await.context("a late order")?;
    check_figures(shop, &fay, [350, 300, 50, 0]).await?;
    check_ledger_sum(shop, &fay, 350).await?;

    let request = ExpiryRequest { org_id: Some(shop.org.clone()), cursor: None, dry_run: true };
    shop.check::<ExpirePoints>("a dry run for the org", &request, Success::Done, |answer| {
        vec![
            field("success", answer.success, true),
            field("summary/totalOrgs", answer.summary.total_orgs, 1),
            field("summary/totalErrors", answer.summary.total_errors, 0),
        ]
    })
    .await?;
    Ok("earned points wait for 14 days; a hold set 100 aside and returned them; a dry run reported no error".into())
}

/// Holds points, reads them as held, and releases them twice.
async fn check_hold(shop: &TestShop, customer: &CustomerId) -> anyhow::Result<()> {
    let hold = HoldPointsRequest {
        org_id: shop.org.clone(),
        customer_id: customer.clone(),
        order_id: value("fay-3")?,
        points: value(100)?,
        order_total: value(50)?,
        minutes: value(60)?,
        currency: None,
    };
    shop.check::<HoldPoints>("a hold of 100 points", &hold, Success::Created, |answer| {
        vec![
            field("points", answer.points, 100),
            field("value", answer.value, 5),
            field("availablePoints", answer.available_points, 200),
        ]
    })
    .await?;
    check_figures(shop, customer, [350, 200, 50, 100]).await?;
    let release = ReleasePointsRequest { org_id: hold.org_id, customer_id: hold.customer_id, order_id: hold.order_id };
    for (label, released) in [("the release of the hold", true), ("the same release again", false)] {
        shop.check::<ReleasePoints>(label, &release, Success::Done, |answer| {
            vec![field("released", answer.released, released)]
        })
        .await?;
    }
    check_figures(shop, customer, [350, 300, 50, 0]).await
}

/// Fails unless the customer has these points: all, available, pending and held.
async fn check_figures(shop: &TestShop, customer: &CustomerId, expected: [i64; 4]) -> anyhow::Result<()> {
    let [points, available, pending, held] = expected;
    let customer = shop.check_customer(customer, |customer| {
        vec![
            field("points", customer.points, points),
            field("availablePoints", customer.available_points, available),
            field("pendingPoints", customer.pending_points, pending),
            field("heldPoints", customer.held_points, held),
        ]
    });
    customer.await.map(drop)
}

/// The instant at which points of an order expire: the end of the month that lies [`EXPIRY_MONTHS`] after it. The org is
/// in UTC.
fn expiry(fulfilled_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let month = fulfilled_at.date_naive().with_day(1)?;
    let next = month.checked_add_months(Months::new(EXPIRY_MONTHS + 1))?;
    Some(next.and_time(NaiveTime::MIN).and_utc())
}
