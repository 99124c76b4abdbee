//! The rules of points redemptions: every row of the vectors, and random balances.

use harness::vectors::{every_row, money};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::{
    loyalty::{LoyaltySettings, RedemptionMode, RedemptionTier},
    money::{Currency, Money},
    points::Points,
    points_redemption::{self, PointsValuation},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Checkout {
    redemption_tiers: Vec<Reward>,
    redemption_mode: RedemptionMode,
    points: i64,
    balance: i64,
    order_total: Value,
    value: Option<Value>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reward {
    points_cost: i64,
    reward_value: Value,
}

fn rewards(tiers: &[(i64, Money)], redemption_mode: RedemptionMode) -> LoyaltySettings {
    let tiers = tiers.iter().map(|(cost, reward_value)| RedemptionTier {
        points_cost: (*cost).try_into().unwrap(),
        reward_value: *reward_value,
    });
    let redemption_tiers = tiers.collect::<Vec<_>>().try_into().unwrap();
    LoyaltySettings { redemption_tiers, redemption_mode, ..LoyaltySettings::default() }
}

#[test]
fn every_redemption_vector_holds() {
    every_row("redemption.json", 80, |row: &Checkout| {
        let tiers: Vec<_> =
            row.redemption_tiers.iter().map(|tier| (tier.points_cost, money(&tier.reward_value))).collect();
        let settings = rewards(&tiers, row.redemption_mode);
        let points = row.points.try_into().unwrap();
        let quoted = points_redemption::quote(
            PointsValuation::new(&settings, &Currency::default()),
            Points(row.balance),
            points,
            Some(money(&row.order_total)),
        );
        let ought = row.code.as_ref().map_or_else(|| json!(money(row.value.as_ref().unwrap())), |code| json!(code));
        (quoted.map_or_else(|refusal| json!(refusal.code()), |value| json!(value)), ought)
    });
}

proptest! {
    #[test]
    fn the_computed_maximum_matches_a_search_of_all_numbers_of_points(
        tiers in prop::collection::btree_map(1_i64..40, prop_oneof![0_i64..30, 0_i64..3000], 0..5), exact in any::<bool>(), balance in -20_i64..60,
        total in prop::option::of(prop_oneof![0_i64..40, 0_i64..4000]), has_decimals in any::<bool>(),
    ) {
        let currency = Currency::try_from(if has_decimals { "USD" } else { "JPY" }.to_owned()).unwrap();
        let tiers: Vec<_> = tiers.into_iter().map(|(cost, value)| (cost, Money::from_minor(value).unwrap())).collect();
        let mode = if exact { RedemptionMode::Exact } else { RedemptionMode::Proportional };
        let (settings, total) = (rewards(&tiers, mode), total.map(|total| Money::from_minor(total).unwrap()));
        let valuation = PointsValuation::new(&settings, &currency);
        let quote = |points: i64| points_redemption::quote(valuation, Points(balance), points.try_into().unwrap(), total).ok();
        // The test tries every number of points. The rule computes the maximum.
        let most = (1..=60).rev().find_map(|points| quote(points).map(|value| (points, value)));
        let reported = points_redemption::max_redeemable(valuation, Points(balance), total).map(|(points, value)| (points.get().0, value));
        prop_assert_eq!(reported, most);
    }
}
