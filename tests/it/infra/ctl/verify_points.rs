//! `ctl verify` reports points that are wrong.

use harness::stack_proxy::{Breakage, ProxiedAnswer, ProxiedCall};
use http::Method;
use serde_json::json;

use super::verify::{broken, each_broken};

#[tokio::test]
async fn verify_reports_a_points_award_that_is_down_off_by_one_or_pays_twice() {
    let system = "points award";
    let off_by_one = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.function == "points-award" && answer.body["pointsAwarded"] == 49 {
            answer.body["pointsAwarded"] = json!(50);
        }
    };
    let twice = |call: &mut ProxiedCall| {
        if call.function == "points-award" && call.body["orderTotal"] == 49.99 {
            call.body["orderId"] = json!(format!("o{:016x}", fastrand::u64(..)));
        }
    };
    // Other checks depend on this function.
    let down = vec![
        (system, "expected 201, came 500"),
        ("points expiry", "an order of 300 (POST points-award): expected 201, came 500"),
        ("tier recalculation", "an order of 900 (POST points-award): expected 201, came 500"),
        ("churn prediction", "an order of 20 (POST points-award): expected 201, came 500"),
    ];
    broken(Breakage::Down("points-award"), down).await;
    let ways = [
        (
            Breakage::ChangedAnswer(off_by_one),
            "an order of 49.99 (POST points-award): expected pointsAwarded 49, came 50",
        ),
        (Breakage::ChangedRequest(twice), "the same order again (POST points-award): expected 200, came 201 {"),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_points_redemption_that_is_down_overquotes_or_returns_none() {
    let system = "points redemption";
    let too_high = |call: &ProxiedCall, answer: &mut ProxiedAnswer| {
        if call.path == "/quotes" {
            answer.body["value"] = json!(5.01);
        }
    };
    let keeps = |call: &mut ProxiedCall| {
        if call.function == "points-redemption" && call.method == Method::DELETE {
            call.path = call.path.replace("cy-1", "cy-9");
        }
    };
    // Holds depend on this function.
    let down = vec![
        (system, "expected 200, came 500 internal"),
        ("points expiry", "a hold of 100 points (PUT points-redemption): expected 201, came 500 internal"),
    ];
    broken(Breakage::Down("points-redemption"), down).await;
    let ways = [
        (Breakage::ChangedAnswer(too_high), "expected value 5, came 5.01"),
        (
            Breakage::ChangedRequest(keeps),
            "the void of the order (DELETE points-redemption): expected voided true, came false",
        ),
    ];
    each_broken(system, ways).await;
}

#[tokio::test]
async fn verify_reports_a_points_expiry_that_is_down_or_points_that_are_available_or_lost() {
    let system = "points expiry";
    let at_once = |call: &mut ProxiedCall| {
        if call.path.ends_with("/loyalty") {
            call.body["pendingDays"] = json!(0);
        }
    };
    let keeps = |call: &mut ProxiedCall| {
        if call.path.starts_with("/holds/") && call.method == Method::DELETE {
            call.path = call.path.replace("fay-3", "fay-9");
        }
    };
    let ways = [
        (
            Breakage::Down("points-expiry"),
            "a dry run for the org (POST points-expiry): expected 200, came 500 internal",
        ),
        (Breakage::ChangedRequest(at_once), "expected availablePoints 300, came 350"),
        (Breakage::ChangedRequest(keeps), "the release of the hold (DELETE points-redemption): expected released true"),
    ];
    each_broken(system, ways).await;
}
