//! Tests as sentences. A scenario is a list of steps; awaiting it takes them one after the other in a world, and in the
//! end audits the ledger of everybody, and the counters of every bundle, that appeared.

use std::{future::IntoFuture, pin::Pin, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    Request, Response, World, audit, bundles, instant,
    world::{ORG, noon},
};

pub(crate) type Doing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
type Step = Box<dyn for<'a> FnOnce(&'a mut Progress) -> Doing<'a> + Send>;

/// What a test says happens, in order.
#[must_use = "a scenario plays when it is awaited"]
pub struct Scenario {
    world: Arc<World>,
    steps: Vec<Step>,
}

/// How far a scenario is.
pub(crate) struct Progress {
    pub(crate) world: Arc<World>,
    now: DateTime<Utc>,
    last: Option<Response>,
    people: Vec<String>,
    pub(crate) bundles: Vec<String>,
}

/// A new world with one org, at noon.
pub async fn world() -> Scenario {
    Scenario::in_world(World::new().await)
}

impl Scenario {
    /// A scenario in a world that a test has made itself.
    pub fn in_world(world: World) -> Self {
        Self { world: Arc::new(world), steps: Vec::new() }
    }

    /// The world it plays in.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    pub(crate) fn then(mut self, step: impl for<'a> FnOnce(&'a mut Progress) -> Doing<'a> + Send + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// From here on it is this time.
    pub fn at(self, now: &str) -> Self {
        let now = instant(now);
        self.then(move |progress| {
            progress.now = now;
            Box::pin(async {})
        })
    }

    /// Some request is made.
    pub fn send(self, request: Request) -> Self {
        self.then(move |progress| Box::pin(async move { progress.send(request).await }))
    }

    /// The org's loyalty settings become these, others take their defaults.
    pub fn loyalty(self, settings: Value) -> Self {
        self.send(Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty")).json(&settings)).accepted()
    }

    /// Somebody joins.
    pub fn customer(self, name: &str) -> Self {
        self.customer_with(name, json!({}))
    }

    /// Somebody joins about whom this is known.
    pub fn customer_with(self, name: &str, person: Value) -> Self {
        let name = name.to_owned();
        self.then(move |progress| {
            progress.people.push(name.clone());
            Box::pin(async move {
                let path = format!("/orgs/{ORG}/customers/{name}");
                progress.send(Request::new("PUT", "back-office", path).json(&person)).await;
            })
        })
        .accepted()
    }

    /// An order is fulfilled and awarded.
    pub fn award(self, customer: &str, order: &str, total: &str) -> Self {
        self.award_with(customer, order, total, json!({}))
    }

    /// An order is fulfilled and awarded, with more to say about it.
    pub fn award_with(self, customer: &str, order: &str, total: &str, more: Value) -> Self {
        self.send(award(customer, order, total, &more))
    }

    /// All that is left of an order is refunded.
    pub fn refund(self, customer: &str, order: &str, refund: &str) -> Self {
        self.send(refund_request(customer, order, refund, None))
    }

    /// A part of an order is refunded.
    pub fn refund_of(self, customer: &str, order: &str, refund: &str, total: &str) -> Self {
        self.send(refund_request(customer, order, refund, Some(total)))
    }

    /// A refund did not happen after all.
    pub fn void_refund(self, customer: &str, order: &str, refund: &str) -> Self {
        self.send(void_refund(customer, order, refund))
    }

    /// An order is paid in part with points.
    pub fn spend(self, customer: &str, order: &str, points: i64, total: &str) -> Self {
        self.send(spend(customer, order, points, total))
    }

    /// An order that may have been paid in part with points is cancelled.
    pub fn unspend(self, customer: &str, order: &str) -> Self {
        self.send(unspend(customer, order))
    }

    /// Somebody asks what points would buy.
    pub fn quote(self, customer: &str, points: i64, total: Option<&str>) -> Self {
        let mut body = json!({"orgId": ORG, "customerId": customer, "points": points});
        if let Some(total) = total {
            body["orderTotal"] = total.into();
        }
        self.send(Request::new("POST", "points-redemption", "/quotes").json(&body))
    }

    /// Somebody gives or takes points by hand.
    pub fn adjust(self, customer: &str, adjustment: &str, points: i64) -> Self {
        self.send(self::adjustment(customer, adjustment, points))
    }

    /// Everybody's tier is recalculated.
    pub fn recalculate(self) -> Self {
        self.send(recalculation(&json!({}))).accepted().expect(json!({"success": true}))
    }

    /// The last request was not refused.
    pub fn accepted(self) -> Self {
        self.check(|last| assert!(last.status.is_success(), "refused: {} {}", last.status, last.body))
    }

    /// The last request was answered so.
    pub fn expect_status(self, status: u16) -> Self {
        self.check(move |last| assert_eq!(last.status, status, "{}", last.body))
    }

    /// The last request was refused so.
    pub fn refused(self, status: u16, code: &'static str) -> Self {
        self.check(move |last| assert_eq!((last.status.as_u16(), last.code()), (status, code), "{}", last.body))
    }

    /// The last answer says at least this.
    pub fn expect(self, part: Value) -> Self {
        self.check(move |last| {
            for (name, value) in part.as_object().unwrap() {
                assert_eq!(&last.body[name], value, "{name} of {}", last.body);
            }
        })
    }

    /// The last answer does not say this.
    pub fn expect_no(self, name: &'static str) -> Self {
        self.check(move |last| assert_eq!(last.body[name], Value::Null, "{}", last.body))
    }

    fn check(self, check: impl FnOnce(&Response) + Send + 'static) -> Self {
        self.then(move |progress| {
            check(progress.last.as_ref().expect("a request before"));
            Box::pin(async {})
        })
    }

    /// Somebody has so many points.
    pub fn expect_balance(self, customer: &str, points: i64) -> Self {
        self.expect_customer(customer, json!({ "points": points }))
    }

    /// Of somebody at least this is answered.
    pub fn expect_customer(self, customer: &str, part: Value) -> Self {
        self.send(Request::new("GET", "back-office", format!("/orgs/{ORG}/customers/{customer}")))
            .accepted()
            .expect(part)
    }

    /// Somebody's ledger reads so, oldest first: `points_earned o1 +49 =49`, `tier_changed Bronze>Silver order`.
    pub fn expect_entries<const N: usize>(self, customer: &str, lines: [&'static str; N]) -> Self {
        let customer = customer.to_owned();
        self.then(move |progress| {
            Box::pin(async move {
                let entries = audit::ledger(&progress.world, ORG, &customer).await;
                let read: Vec<String> = entries.iter().map(line).collect();
                assert_eq!(read, lines);
            })
        })
    }
}

/// The request to award an order.
pub fn award(customer: &str, order: &str, total: &str, more: &Value) -> Request {
    let mut body = json!({"orgId": ORG, "customerId": customer, "orderId": order, "orderTotal": total});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Request::new("POST", "points-award", "/awards").json(&body)
}

/// The request to refund an order.
pub fn refund_request(customer: &str, order: &str, refund: &str, total: Option<&str>) -> Request {
    let mut body = json!({"orgId": ORG, "customerId": customer, "orderId": order, "refundId": refund});
    if let Some(total) = total {
        body["refundTotal"] = total.into();
    }
    Request::new("POST", "points-award", "/refunds").json(&body)
}

/// The request to void a refund that did not happen.
pub fn void_refund(customer: &str, order: &str, refund: &str) -> Request {
    let path = format!("/refunds/{refund}?orgId={ORG}&customerId={customer}&orderId={order}");
    Request::new("DELETE", "points-award", path)
}

/// The request to pay an order in part with points.
pub fn spend(customer: &str, order: &str, points: i64, total: &str) -> Request {
    let body = json!({"orgId": ORG, "customerId": customer, "orderId": order, "points": points, "orderTotal": total});
    Request::new("POST", "points-redemption", "/redemptions").json(&body)
}

/// The request to give the points of an order back.
pub fn unspend(customer: &str, order: &str) -> Request {
    Request::new("DELETE", "points-redemption", format!("/redemptions/{order}?orgId={ORG}&customerId={customer}"))
}

/// The request to recalculate tiers.
pub fn recalculation(body: &Value) -> Request {
    Request::new("POST", "tier-recalculation", "/").json(body)
}

/// The request to predict churn.
pub fn prediction(body: &Value) -> Request {
    Request::new("POST", "churn-prediction", "/").json(body)
}

/// The request to give or take points by hand.
pub fn adjustment(customer: &str, adjustment: &str, points: i64) -> Request {
    let path = format!("/orgs/{ORG}/customers/{customer}/adjustments");
    let body = json!({"adjustmentId": adjustment, "points": points, "reason": "goodwill"});
    Request::new("POST", "back-office", path).json(&body)
}

fn line(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let kind = text("kind");
    if kind == "tier_changed" {
        return format!("{kind} {}>{} {}", text("from"), text("to"), text("cause"));
    }
    let about =
        ["refundId", "adjustmentId", "orderId"].map(text).into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    format!("{kind} {about} {:+} ={}", entry["points"].as_i64().unwrap(), entry["balance"])
}

impl Progress {
    pub(crate) async fn send(&mut self, request: Request) {
        self.last = Some(self.world.send_at(&request, self.now).await);
    }
}

impl IntoFuture for Scenario {
    type Output = Arc<World>;
    type IntoFuture = Pin<Box<dyn Future<Output = Arc<World>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut progress = Progress {
                world: Arc::clone(&self.world),
                now: noon(),
                last: None,
                people: Vec::new(),
                bundles: Vec::new(),
            };
            for step in self.steps {
                step(&mut progress).await;
            }
            for person in &progress.people {
                audit::check(&self.world, ORG, person).await;
            }
            for bundle in &progress.bundles {
                bundles::check(&self.world, ORG, bundle).await;
            }
            self.world
        })
    }
}

/// An event of the shop platform's, as EventBridge hands it over.
pub fn event(name: &str, detail: Value) -> Value {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": name, "source": "shop.orders",
        "account": "111122223333", "time": "2026-06-01T12:00:00Z", "region": "us-east-1", "resources": [],
        "detail": detail,
    })
}
