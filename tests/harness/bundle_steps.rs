//! Steps of a scenario that define, redeem and check bundles.

use serde_json::{Value, json};

use crate::{
    Scenario,
    bundles::{get, job, line, move_to, put, redeem, stats, stored, transitions, void},
    world::ORG,
};

impl Scenario {
    /// Creates or replaces a published bundle.
    pub fn bundle(self, bundle: &str, more: Value) -> Self {
        let (name, request) = (bundle.to_owned(), put(bundle, &more));
        self.then(move |state| {
            state.bundles.push(name.clone());
            Box::pin(async move { state.send(request).await })
        })
        .accepted()
    }

    /// Moves a bundle to another state.
    pub fn move_to(self, bundle: &str, to: &str) -> Self {
        self.send(move_to(bundle, to))
    }

    /// Redeems a bundle for an order.
    pub fn redeem(self, bundle: &str, customer: &str, order: &str) -> Self {
        self.send(redeem(bundle, customer, order, &json!({})))
    }

    /// Redeems a bundle for an order that was fulfilled at `fulfilled_at`.
    pub fn redeem_at(self, bundle: &str, customer: &str, order: &str, fulfilled_at: &str) -> Self {
        self.send(redeem(bundle, customer, order, &json!({"fulfilledAt": fulfilled_at})))
    }

    /// Voids the redemption of an order.
    pub fn void(self, bundle: &str, order: &str) -> Self {
        self.send(void(bundle, order))
    }

    /// Runs `bundle-transitions`.
    pub fn job(self) -> Self {
        self.send(job(&json!({}))).accepted().expect(json!({"success": true}))
    }

    /// Expects these fields in the bundle.
    pub fn expect_bundle(self, bundle: &str, part: Value) -> Self {
        self.send(get(ORG, bundle)).accepted().expect(part)
    }

    /// Expects this recorded status in the list of bundles.
    pub fn expect_listed(self, bundle: &str, status: &'static str) -> Self {
        let bundle = bundle.to_owned();
        self.then(move |state| {
            Box::pin(async move {
                let stored = stored(&state.world, ORG, &bundle).await;
                assert_eq!(stored["status"], status, "{stored}");
            })
        })
    }

    /// Expects these transitions, oldest first: `scheduled>active 2026-06-01T12:00 start date reached`.
    pub fn expect_transitions<const N: usize>(self, bundle: &str, lines: [&'static str; N]) -> Self {
        let bundle = bundle.to_owned();
        self.then(move |state| {
            Box::pin(async move {
                let actual: Vec<String> = transitions(&state.world, ORG, &bundle).await.iter().map(line).collect();
                assert_eq!(actual, lines);
            })
        })
    }

    /// Expects these fields in the statistics of the bundle.
    pub fn expect_stats(self, bundle: &str, part: Value) -> Self {
        self.send(stats(ORG, bundle)).accepted().expect(part)
    }
}
