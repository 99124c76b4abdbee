//! The org that a smoke test works in: made for it, removed after it, and asked with what has to come of it.

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

use crate::api::{Answer, Api, Request};

/// What comes of a check: what held, or what was expected and what came instead.
pub(crate) type Outcome = anyhow::Result<String>;

/// How long what was written may take to show in an index.
pub(crate) const INDEX_LAG: Duration = Duration::from_secs(10);

/// How long removing the org may take.
const REMOVAL: Duration = Duration::from_mins(1);

/// How many pages a list of this org can have: it is small.
const MAX_PAGES: usize = 20;

/// The org, and how its functions are reached.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) org: OrgId,
    api: Api,
    stopped: Arc<AtomicBool>,
    /// Whether somebody else has created it.
    taken: Arc<AtomicBool>,
}

/// One request, and what has to come of it.
pub(crate) struct Step<'a> {
    /// What it is, for people.
    pub(crate) what: &'a str,
    pub(crate) request: Request<'a>,
    pub(crate) status: u16,
    /// Fields of the answer, each by its JSON pointer.
    pub(crate) fields: &'a [(&'a str, Value)],
}

impl Step<'_> {
    /// The body of the answer, if it is what was expected.
    fn held(&self, answer: Answer) -> anyhow::Result<Value> {
        let Self { what, request, status, fields } = self;
        let unmet = |expected: &str, came: &str| {
            bail!("{what} ({} {}): expected {expected}, came {came}", request.method, request.function)
        };
        if answer.status.as_u16() != *status {
            let code = fields.iter().find(|(name, _)| *name == "/code").and_then(|(_, code)| code.as_str());
            let expected = code.map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
            return unmet(&expected, &came(&answer));
        }
        for (pointer, expected) in *fields {
            let got = answer.body.pointer(pointer);
            if !got.is_some_and(|got| is_same(got, expected)) {
                let got = got.map_or_else(|| "none".to_owned(), Value::to_string);
                return unmet(&format!("{} {expected}", pointer.trim_start_matches('/')), &got);
            }
        }
        Ok(answer.body)
    }
}

impl Shop {
    /// An org named by the time, not there yet.
    pub(crate) fn named_at(now: DateTime<Utc>, api: Api) -> anyhow::Result<Self> {
        let org =
            OrgId::try_from(format!("verify-{}", now.format("%Y%m%dT%H%M%S.%3fZ"))).map_err(anyhow::Error::msg)?;
        Ok(Self { org, api, stopped: Arc::default(), taken: Arc::default() })
    }

    /// Asks for the org before it is there: somebody has to answer, take the secret, and not have it.
    pub(crate) async fn knock(&self) -> anyhow::Result<()> {
        let answer = self.api.send(&Request::get("back-office", &format!("/orgs/{}", self.org))).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => bail!("the secret is refused: {}", came(&answer)),
            StatusCode::NOT_FOUND if text(&answer.body, "code") == "unknown_org" => Ok(()),
            // The check of the back office tells of it.
            status if status.is_server_error() => Ok(()),
            _ => bail!("no back office answers there: expected 404 unknown_org, came {}", came(&answer)),
        }
    }

    /// Creates the org, with settings. One that has come to be there since the knock is somebody else's.
    pub(crate) async fn open(&self) -> anyhow::Result<()> {
        let path = format!("/orgs/{}", self.org);
        let profile = json!({"name": "Smoke test", "timezone": "UTC", "disposable": true});
        let request = Request { only_create: true, ..Request::put("back-office", &path, profile) };
        let answer = self.answer(&request).await?;
        self.taken.store(answer.status == StatusCode::PRECONDITION_FAILED, Ordering::Relaxed);
        Step { what: "an org that is created", request, status: 201, fields: &[] }.held(answer)?;
        self.set_loyalty(201, 180, 500).await
    }

    /// Sets the loyalty settings, all of them, so that no default decides what is expected.
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
        let request = Request::put("back-office", &path, settings);
        let fields = [("/inactivityDays", json!(inactivity_days))];
        self.ask(Step { what: "settings that are set", request, status, fields: &fields }).await.map(drop)
    }

    /// Puts a customer on record who has nothing yet.
    pub(crate) async fn register(&self, customer: &str) -> anyhow::Result<()> {
        let path = format!("/orgs/{}/customers/{customer}", self.org);
        let request = Request::put("back-office", &path, json!({}));
        let fields = [("/points", json!(0)), ("/orderCount", json!(0))];
        self.ask(Step { what: "a customer who is put on record", request, status: 201, fields: &fields })
            .await
            .map(drop)
    }

    /// Reads a customer, of whom this has to be true.
    pub(crate) async fn customer(&self, customer: &str, fields: &[(&str, Value)]) -> anyhow::Result<Value> {
        let path = format!("/orgs/{}/customers/{customer}", self.org);
        let request = Request::get("back-office", &path);
        self.ask(Step { what: &format!("the customer {customer}"), request, status: 200, fields }).await
    }

    /// Awards an order, with the points and the tier that have to come of it.
    pub(crate) async fn award(
        &self,
        (customer, order, total): (&str, &str, u32),
        fulfilled_at: DateTime<Utc>,
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        let body = json!({
            "orgId": self.org, "customerId": customer, "orderId": order, "orderTotal": total, "fulfilledAt": fulfilled_at,
        });
        let request = Request::post("points-award", "/awards", body);
        self.ask(Step { what: &format!("an order of {total}"), request, status: 201, fields }).await.map(drop)
    }

    /// Makes a request and holds the answer against what is expected of it.
    pub(crate) async fn ask(&self, step: Step<'_>) -> anyhow::Result<Value> {
        let answer = self.answer(&step.request).await.with_context(|| step.what.to_owned())?;
        step.held(answer)
    }

    /// Makes a request, unless the smoke test is to stop.
    pub(crate) async fn answer(&self, request: &Request<'_>) -> anyhow::Result<Answer> {
        if self.is_stopped() {
            bail!("stopped");
        }
        self.api.send(request).await
    }

    /// All rows of a list of the back office.
    pub(crate) async fn list(&self, path: &str, plural: &str) -> anyhow::Result<Vec<Value>> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        for _ in 0..MAX_PAGES {
            let path = format!("/orgs/{}/{path}limit=100{cursor}", self.org);
            let request = Request::get("back-office", &path);
            let page =
                self.ask(Step { what: &format!("the list of {plural}"), request, status: 200, fields: &[] }).await?;
            rows.extend(page.get(plural).and_then(Value::as_array).into_iter().flatten().cloned());
            match page.get("cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(rows),
            }
        }
        bail!("the list of {plural} has no end")
    }

    /// The same org, seen by the holder of another secret.
    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self { api: self.api.clone().with_secret(secret), ..self.clone() }
    }

    /// The same org, where an answer may take so long and is asked for once.
    pub(crate) fn patient(&self, timeout: Duration) -> Self {
        Self { api: self.api.clone().bounded(1, timeout), ..self.clone() }
    }

    /// Lets no further request go out.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Removes the org and all that is in it. That it is not there is as good.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        if self.taken.load(Ordering::Relaxed) {
            bail!("somebody else has created it");
        }
        let path = format!("/orgs/{}", self.org);
        let deadline = Deadline::after(REMOVAL);
        while !deadline.left().is_zero() {
            let answer = self.api.send(&Request::delete("back-office", &path)).await?;
            match answer.status {
                StatusCode::NOT_FOUND => return Ok(()),
                StatusCode::OK if answer.body.get("complete") == Some(&Value::Bool(true)) => return Ok(()),
                StatusCode::OK => {}
                _ => bail!(came(&answer)),
            }
        }
        bail!("not done after {} seconds", REMOVAL.as_secs())
    }
}

/// Asks until there is an answer, for so long.
pub(crate) async fn until<T>(
    limit: Duration,
    ask: impl AsyncFn() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let deadline = Deadline::after(limit);
    loop {
        let found = ask().await?;
        if found.is_some() || deadline.left().is_zero() {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// So many days ago.
pub(crate) fn days_ago(days: i64) -> DateTime<Utc> {
    clock::now() - chrono::TimeDelta::days(days)
}

/// A text field of a row, empty where there is none.
pub(crate) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What came, on one line and not too long a one.
fn came(answer: &Answer) -> String {
    if answer.status.is_success() {
        let body: String = answer.body.to_string().chars().take(200).collect();
        return format!("{} {body}", answer.status.as_u16());
    }
    if text(&answer.body, "code").is_empty() {
        return format!("{} from what is no function of Regulars", answer.status.as_u16());
    }
    answer.complaint()
}

/// Whether two values are the same: 5 is 5.00.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}
