//! Tests as sentences. A scenario is a list of steps in one world. Awaiting it runs the steps in order. At the end it audits
//! the ledger of every customer and the counters of every bundle of the scenario.

use std::{future::IntoFuture, pin::Pin, sync::Arc};

use back_office::adjustments::{Adjust, AdjustmentRequest};
use chrono::{DateTime, Utc};
use churn_prediction::predict::{PredictChurn, PredictionRequest};
use points_award::{
    award::{AwardOrder, AwardRequest},
    refund::{RefundOrder, RefundRequest},
    refund_void::{RefundVoidRequest, VoidRefund},
};
use points_redemption::{
    hold::{HoldPoints, HoldPointsRequest, ReleasePoints, ReleasePointsRequest},
    read::{QuotePoints, QuoteRequest},
    redeem::{PointsRedemptionRequest, RedeemPoints},
    void::{PointsVoidRequest, VoidPointsRedemption},
};
use serde_json::{Value, json};
use shared::domain::points_hold::HoldMinutes;
use tier_recalculation::recalculate::{RecalculateTiers, RecalculationRequest};

use crate::{
    Request, Response, World, audit, bundles, instant, valid,
    world::{ORG, noon},
};

pub(crate) type StepFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
type Step = Box<dyn for<'a> FnOnce(&'a mut ScenarioState) -> StepFuture<'a> + Send>;

/// A list of steps.
#[must_use = "a scenario runs when it is awaited"]
pub struct Scenario {
    world: Arc<World>,
    steps: Vec<Step>,
}

/// The state of a scenario between two steps.
pub(crate) struct ScenarioState {
    pub(crate) world: Arc<World>,
    now: DateTime<Utc>,
    last_response: Option<Response>,
    customers: Vec<String>,
    pub(crate) bundles: Vec<String>,
}

/// A scenario in a new world with one org, at noon.
pub async fn world() -> Scenario {
    Scenario::in_world(World::new().await)
}

impl Scenario {
    /// A scenario in an existing world.
    pub fn in_world(world: World) -> Self {
        Self { world: Arc::new(world), steps: Vec::new() }
    }

    /// The world of the scenario.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    pub(crate) fn then(
        mut self,
        step: impl for<'a> FnOnce(&'a mut ScenarioState) -> StepFuture<'a> + Send + 'static,
    ) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// Sets the time of the following steps.
    pub fn at(self, now: &str) -> Self {
        let now = instant(now);
        self.then(move |state| {
            state.now = now;
            Box::pin(async {})
        })
    }

    /// Sends a request.
    pub fn send(self, request: Request) -> Self {
        self.then(move |state| Box::pin(async move { state.send(request).await }))
    }

    /// Replaces the org's loyalty settings. Missing settings take their defaults.
    pub fn loyalty(self, settings: Value) -> Self {
        self.send(Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty")).json(&settings)).accepted()
    }

    /// Creates or replaces a customer without a profile.
    pub fn customer(self, name: &str) -> Self {
        self.customer_with(name, json!({}))
    }

    /// Creates or replaces a customer with this profile.
    pub fn customer_with(self, name: &str, profile: Value) -> Self {
        let name = name.to_owned();
        self.then(move |state| {
            state.customers.push(name.clone());
            Box::pin(async move {
                state.send(Request::put_customer(ORG, &name).with(&profile)).await;
            })
        })
        .accepted()
    }

    /// Awards an order.
    pub fn award(self, customer: &str, order: &str, total: &str) -> Self {
        self.award_with(customer, order, total, json!({}))
    }

    /// Awards an order, with further fields.
    pub fn award_with(self, customer: &str, order: &str, total: &str, more: Value) -> Self {
        self.send(award(customer, order, total, &more))
    }

    /// Refunds the rest of an order.
    pub fn refund(self, customer: &str, order: &str, refund: &str) -> Self {
        self.send(refund_request(customer, order, refund, None))
    }

    /// Refunds a part of an order.
    pub fn refund_of(self, customer: &str, order: &str, refund: &str, total: &str) -> Self {
        self.send(refund_request(customer, order, refund, Some(total)))
    }

    /// Voids a refund.
    pub fn void_refund(self, customer: &str, order: &str, refund: &str) -> Self {
        self.send(void_refund(customer, order, refund))
    }

    /// Redeems points for an order.
    pub fn redeem_points(self, customer: &str, order: &str, points: i64, total: &str) -> Self {
        self.send(redeem_points(customer, order, points, total))
    }

    /// Voids the points redemption of an order.
    pub fn void_points(self, customer: &str, order: &str) -> Self {
        self.send(void_points(customer, order))
    }

    /// Holds points for an order, for 15 minutes.
    pub fn hold(self, customer: &str, order: &str, points: i64, total: &str) -> Self {
        self.hold_with(customer, order, points, total, json!({}))
    }

    /// Holds points for an order, with further fields.
    pub fn hold_with(self, customer: &str, order: &str, points: i64, total: &str, more: Value) -> Self {
        self.send(hold_points(customer, order, points, total, &more))
    }

    /// Releases the hold of an order.
    pub fn release(self, customer: &str, order: &str) -> Self {
        self.send(release_points(customer, order))
    }

    /// Quotes points.
    pub fn quote(self, customer: &str, points: i64, total: Option<&str>) -> Self {
        self.send(Request::of::<QuotePoints>(&QuoteRequest {
            org_id: valid(ORG),
            customer_id: valid(customer),
            points: valid(points),
            order_total: total.map(valid),
            currency: None,
        }))
    }

    /// Adjusts a balance by hand.
    pub fn adjust(self, customer: &str, adjustment: &str, points: i64) -> Self {
        self.send(self::adjustment(customer, adjustment, points))
    }

    /// Recalculates the tier of every customer.
    pub fn recalculate(self) -> Self {
        self.send(recalculation(&json!({}))).accepted().expect(json!({"success": true}))
    }

    /// Expects that the last request succeeded.
    pub fn accepted(self) -> Self {
        self.check(|last| assert!(last.status.is_success(), "rejected: {} {}", last.status, last.body))
    }

    /// Expects this status of the last response.
    pub fn expect_status(self, status: u16) -> Self {
        self.check(move |last| assert_eq!(last.status, status, "{}", last.body))
    }

    /// Expects that the last request was rejected with this status and code.
    pub fn refused(self, status: u16, code: &'static str) -> Self {
        self.check(move |last| assert_eq!((last.status.as_u16(), last.code()), (status, code), "{}", last.body))
    }

    /// Expects these fields in the last response.
    pub fn expect(self, part: Value) -> Self {
        self.check(move |last| {
            for (name, value) in part.as_object().unwrap() {
                assert_eq!(&last.body[name], value, "{name} of {}", last.body);
            }
        })
    }

    /// Expects that the last response has no such field, or null.
    pub fn expect_no(self, name: &'static str) -> Self {
        self.check(move |last| assert_eq!(last.body[name], Value::Null, "{}", last.body))
    }

    fn check(self, check: impl FnOnce(&Response) + Send + 'static) -> Self {
        self.then(move |state| {
            check(state.last_response.as_ref().expect("a request before"));
            Box::pin(async {})
        })
    }

    /// Expects this balance.
    pub fn expect_balance(self, customer: &str, points: i64) -> Self {
        self.expect_customer(customer, json!({ "points": points }))
    }

    /// Expects these fields in the customer.
    pub fn expect_customer(self, customer: &str, part: Value) -> Self {
        self.send(Request::get_customer(ORG, customer)).accepted().expect(part)
    }

    /// Expects this ledger, oldest entry first: `points_earned o1 +49 =49`, `tier_changed Bronze>Silver order`.
    pub fn expect_entries<const N: usize>(self, customer: &str, lines: [&'static str; N]) -> Self {
        let customer = customer.to_owned();
        self.then(move |state| {
            Box::pin(async move {
                let entries = audit::ledger(&state.world, ORG, &customer, state.now).await;
                let actual: Vec<String> = entries.iter().map(audit::line).collect();
                assert_eq!(actual, lines);
            })
        })
    }
}

/// The request to award an order, extended by `more`.
pub fn award(customer: &str, order: &str, total: &str, more: &Value) -> Request {
    let request = AwardRequest {
        org_id: valid(ORG),
        customer_id: valid(customer),
        order_id: valid(order),
        order_total: valid(total),
        equity_status: None,
        fulfilled_at: None,
        amends: false,
        as_of: None,
        currency: None,
        customer: None,
    };
    Request::of::<AwardOrder>(&request).with(more)
}

/// The request to refund an order.
pub fn refund_request(customer: &str, order: &str, refund: &str, total: Option<&str>) -> Request {
    Request::of::<RefundOrder>(&RefundRequest {
        org_id: valid(ORG),
        customer_id: Some(valid(customer)),
        order_id: valid(order),
        refund_id: valid(refund),
        refund_total: total.map(valid),
        currency: None,
    })
}

/// The request to void a refund.
pub fn void_refund(customer: &str, order: &str, refund: &str) -> Request {
    Request::of::<VoidRefund>(&RefundVoidRequest {
        org_id: valid(ORG),
        customer_id: Some(valid(customer)),
        order_id: valid(order),
        refund_id: valid(refund),
    })
}

/// The request to redeem points for an order.
pub fn redeem_points(customer: &str, order: &str, points: i64, total: &str) -> Request {
    Request::of::<RedeemPoints>(&PointsRedemptionRequest {
        org_id: valid(ORG),
        customer_id: valid(customer),
        order_id: valid(order),
        points: valid(points),
        order_total: valid(total),
        currency: None,
    })
}

/// The request to void the points redemption of an order.
pub fn void_points(customer: &str, order: &str) -> Request {
    Request::of::<VoidPointsRedemption>(&PointsVoidRequest {
        org_id: valid(ORG),
        customer_id: Some(valid(customer)),
        order_id: valid(order),
    })
}

/// The request to hold points for an order, extended by `more`.
pub fn hold_points(customer: &str, order: &str, points: i64, total: &str, more: &Value) -> Request {
    let request = HoldPointsRequest {
        org_id: valid(ORG),
        customer_id: valid(customer),
        order_id: valid(order),
        points: valid(points),
        order_total: valid(total),
        minutes: HoldMinutes::default(),
        currency: None,
    };
    Request::of::<HoldPoints>(&request).with(more)
}

/// The request to release the hold of an order.
pub fn release_points(customer: &str, order: &str) -> Request {
    Request::of::<ReleasePoints>(&ReleasePointsRequest {
        org_id: valid(ORG),
        customer_id: valid(customer),
        order_id: valid(order),
    })
}

/// The request to record expired points.
pub fn expiry(body: &Value) -> Request {
    Request::new("POST", "points-expiry", "/").json(body)
}

/// The request to recalculate the tiers of all orgs, extended by `more`.
pub fn recalculation(more: &Value) -> Request {
    let request = RecalculationRequest { org_id: None, cursor: None, dry_run: false, loyalty: None };
    Request::of::<RecalculateTiers>(&request).with(more)
}

/// The request to predict churn in all orgs, extended by `more`.
pub fn prediction(more: &Value) -> Request {
    let request = PredictionRequest { org_id: None, customer_id: None, cursor: None, dry_run: false };
    Request::of::<PredictChurn>(&request).with(more)
}

/// The request to adjust a balance by hand.
pub fn adjustment(customer: &str, adjustment: &str, points: i64) -> Request {
    Request::of::<Adjust>(&AdjustmentRequest {
        org_id: valid(ORG),
        customer_id: valid(customer),
        adjustment_id: valid(adjustment),
        points: valid(points),
        reason: valid("goodwill"),
    })
}

impl ScenarioState {
    pub(crate) async fn send(&mut self, request: Request) {
        self.last_response = Some(self.world.send_at(&request, self.now).await);
    }
}

impl IntoFuture for Scenario {
    type Output = Arc<World>;
    type IntoFuture = Pin<Box<dyn Future<Output = Arc<World>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut state = ScenarioState {
                world: Arc::clone(&self.world),
                now: noon(),
                last_response: None,
                customers: Vec::new(),
                bundles: Vec::new(),
            };
            for step in self.steps {
                step(&mut state).await;
            }
            for customer in &state.customers {
                audit::check_at(&self.world, ORG, customer, state.now).await;
            }
            for bundle in &state.bundles {
                bundles::check(&self.world, ORG, bundle).await;
            }
            self.world
        })
    }
}

/// An event of the shop platform, as EventBridge delivers it.
pub fn event(name: &str, detail: Value) -> Value {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": name, "source": "shop.orders",
        "account": "111122223333", "time": "2026-06-01T12:00:00Z", "region": "us-east-1", "resources": [],
        "detail": detail,
    })
}
