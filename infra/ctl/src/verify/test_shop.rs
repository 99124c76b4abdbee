//! The org of a smoke test: created for it, removed after it, and used by requests with an expected answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::{
    clock::{self, Deadline},
    domain::ids::OrgId,
};

use crate::api::{Api, ApiAnswer, ApiRequest};

/// The result of a check: a sentence on what passed, or the expected and the actual answer.
pub(crate) type CheckResult = anyhow::Result<String>;

/// Longest time until a write appears in an index.
pub(crate) const INDEX_LAG_MAX: Duration = Duration::from_secs(10);

/// Time limit of the removal of the org.
const REMOVAL_TIME_MAX: Duration = Duration::from_mins(1);

/// Upper bound for the pages of a list of this small org.
const LIST_PAGES_MAX: usize = 20;

/// The org, with access to the functions.
#[derive(Clone)]
pub(crate) struct TestShop {
    pub(crate) org: OrgId,
    api: Api,
    stopped: Arc<AtomicBool>,
    /// Whether another caller has created the org.
    created_elsewhere: Arc<AtomicBool>,
}

/// A request with its expected answer.
pub(crate) struct CheckedRequest<'a> {
    /// Describes the request in messages.
    pub(crate) label: &'a str,
    pub(crate) request: ApiRequest<'a>,
    pub(crate) status: u16,
    /// Expected fields of the answer, by JSON pointer.
    pub(crate) fields: &'a [(&'a str, Value)],
}

impl CheckedRequest<'_> {
    /// Returns the body of the answer. Fails unless status and fields are the expected ones.
    fn check_answer(&self, answer: ApiAnswer) -> anyhow::Result<Value> {
        let Self { label, request, status, fields } = self;
        let mismatch = |expected: &str, actual: &str| {
            bail!("{label} ({} {}): expected {expected}, came {actual}", request.method, request.function)
        };
        if answer.status.as_u16() != *status {
            let code = fields.iter().find(|(name, _)| *name == "/code").and_then(|(_, code)| code.as_str());
            let expected = code.map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
            return mismatch(&expected, &describe_answer(&answer));
        }
        for (pointer, expected) in *fields {
            let actual = answer.body.pointer(pointer);
            if !actual.is_some_and(|actual| is_equal(actual, expected)) {
                let actual = actual.map_or_else(|| "none".to_owned(), Value::to_string);
                return mismatch(&format!("{} {expected}", pointer.trim_start_matches('/')), &actual);
            }
        }
        Ok(answer.body)
    }
}

impl TestShop {
    /// An org named by the time. It does not exist yet.
    pub(crate) fn named_by_time(now: DateTime<Utc>, api: Api) -> anyhow::Result<Self> {
        let org =
            OrgId::try_from(format!("verify-{}", now.format("%Y%m%dT%H%M%S.%3fZ"))).map_err(anyhow::Error::msg)?;
        Ok(Self { org, api, stopped: Arc::default(), created_elsewhere: Arc::default() })
    }

    /// Requests the org before it exists. Fails unless a back office answers, accepts the secret and does not know the
    /// org.
    pub(crate) async fn check_reachable(&self) -> anyhow::Result<()> {
        let answer = self.api.send(&ApiRequest::get("back-office", &format!("/orgs/{}", self.org))).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => bail!("the secret is refused: {}", describe_answer(&answer)),
            StatusCode::NOT_FOUND if text_field(&answer.body, "code") == "unknown_org" => Ok(()),
            // The check of the back office reports the fault.
            status if status.is_server_error() => Ok(()),
            _ => bail!("no back office answers there: expected 404 unknown_org, came {}", describe_answer(&answer)),
        }
    }

    /// Creates the org with its settings. If the org has appeared since [`Self::check_reachable`], it belongs to
    /// another caller.
    pub(crate) async fn create(&self) -> anyhow::Result<()> {
        let path = format!("/orgs/{}", self.org);
        let profile = json!({"name": "Smoke test", "timezone": "UTC", "disposable": true});
        let request = ApiRequest { create_only: true, ..ApiRequest::put("back-office", &path, profile) };
        let answer = self.send(&request).await?;
        self.created_elsewhere.store(answer.status == StatusCode::PRECONDITION_FAILED, Ordering::Relaxed);
        CheckedRequest { label: "an org that is created", request, status: 201, fields: &[] }.check_answer(answer)?;
        self.set_loyalty(201, 180, 500).await
    }

    /// Sets every loyalty setting, so that no expected answer depends on a default.
    pub(crate) async fn set_loyalty(&self, status: u16, inactivity_days: u32, gold: u32) -> anyhow::Result<()> {
        let settings = json!({
            "pointsPerDollar": 1, "equityMultiplier": "1.2", "inactivityDays": inactivity_days, "activeDays": 90,
            "tiers": [
                {"name": "Bronze", "threshold": 0}, {"name": "Silver", "threshold": 200}, {"name": "Gold", "threshold": gold},
            ],
            "redemptionTiers": [{"pointsCost": 100, "rewardValue": 5}, {"pointsCost": 250, "rewardValue": 15}],
            "redemptionMode": "proportional",
        });
        let path = format!("/orgs/{}/loyalty", self.org);
        let request = ApiRequest::put("back-office", &path, settings);
        let fields = [("/inactivityDays", json!(inactivity_days))];
        self.check(CheckedRequest { label: "settings that are set", request, status, fields: &fields }).await.map(drop)
    }

    /// Creates a customer without points and orders.
    pub(crate) async fn register(&self, customer: &str) -> anyhow::Result<()> {
        let path = format!("/orgs/{}/customers/{customer}", self.org);
        let request = ApiRequest::put("back-office", &path, json!({}));
        let fields = [("/points", json!(0)), ("/orderCount", json!(0))];
        self.check(CheckedRequest { label: "a customer that is created", request, status: 201, fields: &fields })
            .await
            .map(drop)
    }

    /// Reads a customer. Fails unless it has these fields.
    pub(crate) async fn check_customer(&self, customer: &str, fields: &[(&str, Value)]) -> anyhow::Result<Value> {
        let path = format!("/orgs/{}/customers/{customer}", self.org);
        let request = ApiRequest::get("back-office", &path);
        self.check(CheckedRequest { label: &format!("the customer {customer}"), request, status: 200, fields }).await
    }

    /// Awards an order given as customer, order and total. Fails unless the answer has these fields.
    pub(crate) async fn award(
        &self,
        (customer, order, total): (&str, &str, u32),
        fulfilled_at: DateTime<Utc>,
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        let body = json!({
            "orgId": self.org, "customerId": customer, "orderId": order, "orderTotal": total, "fulfilledAt": fulfilled_at,
        });
        let request = ApiRequest::post("points-award", "/awards", body);
        self.check(CheckedRequest { label: &format!("an order of {total}"), request, status: 201, fields })
            .await
            .map(drop)
    }

    /// Sends a request and compares the answer with the expected one.
    pub(crate) async fn check(&self, step: CheckedRequest<'_>) -> anyhow::Result<Value> {
        let answer = self.send(&step.request).await.with_context(|| step.label.to_owned())?;
        step.check_answer(answer)
    }

    /// Sends a request. Fails if the smoke test is stopped.
    pub(crate) async fn send(&self, request: &ApiRequest<'_>) -> anyhow::Result<ApiAnswer> {
        if self.is_stopped() {
            bail!("stopped");
        }
        self.api.send(request).await
    }

    /// Reads all rows of a list of the back office.
    pub(crate) async fn list(&self, path: &str, plural: &str) -> anyhow::Result<Vec<Value>> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        for _ in 0..LIST_PAGES_MAX {
            let path = format!("/orgs/{}/{path}limit=100{cursor}", self.org);
            let request = ApiRequest::get("back-office", &path);
            let page = self
                .check(CheckedRequest { label: &format!("the list of {plural}"), request, status: 200, fields: &[] })
                .await?;
            rows.extend(page.get(plural).and_then(Value::as_array).into_iter().flatten().cloned());
            match page.get("cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(rows),
            }
        }
        bail!("the list of {plural} has no end")
    }

    /// The same org, accessed with another secret.
    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self { api: self.api.clone().with_secret(secret), ..self.clone() }
    }

    /// The same org, with one attempt for each request and this time limit.
    pub(crate) fn without_retries(&self, timeout: Duration) -> Self {
        Self { api: self.api.clone().with_limits(1, timeout), ..self.clone() }
    }

    /// Stops the smoke test: every further request but the removal fails.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Removes the org and its contents. An org that does not exist counts as removed.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        if self.created_elsewhere.load(Ordering::Relaxed) {
            bail!("another caller has created the org");
        }
        let path = format!("/orgs/{}", self.org);
        let deadline = Deadline::after(REMOVAL_TIME_MAX);
        while !deadline.remaining().is_zero() {
            let answer = self.api.send(&ApiRequest::delete("back-office", &path)).await?;
            match answer.status {
                StatusCode::NOT_FOUND => return Ok(()),
                StatusCode::OK if answer.body.get("complete") == Some(&Value::Bool(true)) => return Ok(()),
                StatusCode::OK => {}
                _ => bail!(describe_answer(&answer)),
            }
        }
        bail!("the removal was not finished after {} seconds", REMOVAL_TIME_MAX.as_secs())
    }
}

/// Calls `ask` until it returns a value or the time limit has passed.
pub(crate) async fn poll_until<T>(
    limit: Duration,
    ask: impl AsyncFn() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let deadline = Deadline::after(limit);
    loop {
        let found = ask().await?;
        if found.is_some() || deadline.remaining().is_zero() {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// The instant this number of days ago.
pub(crate) fn days_ago(days: i64) -> DateTime<Utc> {
    clock::now() - chrono::TimeDelta::days(days)
}

/// A string field of a row, empty if it is missing.
pub(crate) fn text_field<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Describes an answer on one line of bounded length.
fn describe_answer(answer: &ApiAnswer) -> String {
    if answer.status.is_success() {
        let body: String = answer.body.to_string().chars().take(200).collect();
        return format!("{} {body}", answer.status.as_u16());
    }
    if text_field(&answer.body, "code").is_empty() {
        return format!("{} from a server that is no function of Regulars", answer.status.as_u16());
    }
    answer.problem_summary()
}

/// Whether two values are equal. Numbers are compared by value, so 5 equals 5.00.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}
