//! The org of a smoke test: created for it, removed after it, and used by requests with an expected answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use back_office::{
    customers::{CustomerRequest, GetCustomer, PutCustomer},
    loyalty::PutLoyalty,
    orgs::{DeleteOrg, GetOrg, OrgRequest, PutOrg, PutOrgRequest},
    view::CustomerView,
};
use chrono::{DateTime, Utc};
use client::{Call, HttpAnswer, value};
use points_award::award::{AwardAnswer, AwardOrder, AwardRequest};
use shared::{
    clock::{self, Deadline},
    domain::{
        ids::{CustomerId, OrgId},
        lots::dates::{ExpiryRounding, PointsExpiry},
        loyalty::{Enrolment, RedemptionMode, RedemptionTier, RedemptionTiers, Tier, Tiers},
        rate::PointsMultiplier,
        rejection::{RefusalCode, RejectionKind},
        zone::Zone,
    },
    host::{InFunction, Success},
    inbound::{
        fields::Timestamp,
        loyalty::{LoyaltyFields, SettingsFields},
    },
};

use super::expected::{Field, Step, describe_answer, field};
use crate::{
    api::Api,
    list::{PagedList, Pages},
    requests,
};

/// The result of a check: a sentence on what passed, or the expected and the actual answer.
pub(crate) type CheckResult = anyhow::Result<String>;

/// How many days earned points wait, by the settings of the org.
const PENDING_DAYS: u32 = 14;

/// How many months after an order its points expire, by the settings of the org.
pub(crate) const EXPIRY_MONTHS: u32 = 12;

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

impl TestShop {
    /// An org named by the time. It does not exist yet.
    pub(crate) fn named_by_time(now: DateTime<Utc>, api: Api) -> anyhow::Result<Self> {
        let org = value(format!("verify-{}", now.format("%Y%m%dT%H%M%S.%3fZ")))?;
        Ok(Self { org, api, stopped: Arc::default(), created_elsewhere: Arc::default() })
    }

    /// Requests the org before it exists. Fails unless a back office answers, accepts the secret and does not know the
    /// org.
    pub(crate) async fn check_reachable(&self) -> anyhow::Result<()> {
        let answer = self.api.send(Call::<GetOrg>::new(&self.org_request())?.http()).await?;
        let problem = answer.problem();
        if problem.is_of_kind(RejectionKind::Unauthorized) {
            bail!("the secret is refused: {}", describe_answer(&answer));
        }
        // The check of the back office reports the fault of a server.
        if problem.is(RefusalCode::UnknownOrg) || answer.status >= 500 {
            return Ok(());
        }
        bail!("no back office answers there: expected 404 unknown_org, came {}", describe_answer(&answer))
    }

    /// Creates the org with its settings. If the org has appeared since [`Self::check_reachable`], it belongs to
    /// another caller.
    pub(crate) async fn create(&self) -> anyhow::Result<()> {
        let utc = Zone::from_request("UTC").map_err(anyhow::Error::msg)?;
        let profile = PutOrgRequest { timezone: utc, ..requests::disposable_org(&self.org, value("Smoke test")?) };
        let step = Step { label: "an org that is created", call: Call::<PutOrg>::new(&profile)?.only_create() };
        let answer = self.send(&step).await?;
        let exists = answer.problem().is_of_kind(RejectionKind::PreconditionFailed);
        self.created_elsewhere.store(exists, Ordering::Relaxed);
        step.accepted(&answer, Success::Created, |_| Vec::new())?;
        self.set_loyalty(Success::Created, 180, 500).await
    }

    /// Sets every loyalty setting, so that no expected answer depends on a default.
    pub(crate) async fn set_loyalty(&self, success: Success, inactivity_days: i64, gold: i64) -> anyhow::Result<()> {
        let tier = |name: &str, threshold: i64| {
            anyhow::Ok(Tier {
                name: value(name)?,
                threshold: value(threshold)?,
                points_multiplier: PointsMultiplier::default(),
            })
        };
        let reward = |points_cost: i64, reward_value: i64| {
            anyhow::Ok(RedemptionTier { points_cost: value(points_cost)?, reward_value: value(reward_value)? })
        };
        let tiers = vec![tier("Bronze", 0)?, tier("Silver", 200)?, tier("Gold", gold)?];
        let expiry = PointsExpiry::new(value(EXPIRY_MONTHS)?, ExpiryRounding::Month).map_err(anyhow::Error::msg)?;
        let settings = SettingsFields {
            enabled: true,
            points_per_dollar: value(1)?,
            earn_rate: None,
            equity_multiplier: value("1.2")?,
            tiers: Tiers::try_from(tiers).map_err(anyhow::Error::msg)?,
            redemption_tiers: RedemptionTiers::try_from(vec![reward(100, 5)?, reward(250, 15)?])
                .map_err(anyhow::Error::msg)?,
            redemption_mode: RedemptionMode::Proportional,
            inactivity_days: value(inactivity_days)?,
            active_days: value(90)?,
            pending_days: value(PENDING_DAYS)?,
            points_expiry: Some(expiry),
            enrolment: Enrolment::Explicit,
        };
        let request = LoyaltyFields { org_id: self.org.clone(), settings };
        self.check::<PutLoyalty>("settings that are set", &request, success, |settings| {
            vec![field("inactivityDays", settings.inactivity_days, inactivity_days)]
        })
        .await
        .map(drop)
    }

    /// Creates a customer without points and orders.
    pub(crate) async fn register(&self, customer: &str) -> anyhow::Result<CustomerId> {
        let id = value(customer)?;
        let request = requests::empty_customer(&self.org, &id);
        self.check::<PutCustomer>("a customer that is created", &request, Success::Created, |customer| {
            vec![field("points", customer.points, 0), field("orderCount", customer.order_count, 0)]
        })
        .await?;
        Ok(id)
    }

    /// Reads a customer. Fails unless it has these fields.
    pub(crate) async fn check_customer(
        &self,
        customer: &CustomerId,
        fields: impl FnOnce(&CustomerView) -> Vec<Field>,
    ) -> anyhow::Result<CustomerView> {
        let (label, request) = (format!("the customer {customer}"), self.customer_request(customer));
        self.check::<GetCustomer>(&label, &request, Success::Done, fields).await
    }

    /// The request to read a customer.
    pub(crate) fn customer_request(&self, customer: &CustomerId) -> CustomerRequest {
        CustomerRequest { org_id: self.org.clone(), customer_id: customer.clone() }
    }

    /// Awards an order given as customer, order and total. Fails unless the answer has these fields.
    pub(crate) async fn award(
        &self,
        (customer, order, total): (&CustomerId, &str, u32),
        fulfilled_at: DateTime<Utc>,
        fields: impl FnOnce(&AwardAnswer) -> Vec<Field>,
    ) -> anyhow::Result<()> {
        let request = AwardRequest {
            fulfilled_at: Some(Timestamp(fulfilled_at)),
            ..requests::award(&self.org, customer, value(order)?, value(total)?)
        };
        self.check::<AwardOrder>(&format!("an order of {total}"), &request, Success::Created, fields).await.map(drop)
    }

    /// Calls an operation. Fails unless it succeeds in this way and the answer has these fields.
    pub(crate) async fn check<O: InFunction>(
        &self,
        label: &str,
        request: &O::Request,
        success: Success,
        fields: impl FnOnce(&O::Answer) -> Vec<Field>,
    ) -> anyhow::Result<O::Answer> {
        let step = Step { label, call: Call::<O>::new(request)? };
        step.accepted(&self.send(&step).await?, success, fields)
    }

    /// Calls an operation. Fails unless it refuses with this code.
    pub(crate) async fn check_refusal<O: InFunction>(
        &self,
        label: &str,
        request: &O::Request,
        code: RefusalCode,
    ) -> anyhow::Result<()> {
        let step = Step { label, call: Call::<O>::new(request)? };
        step.refused(&self.send(&step).await?, code)
    }

    /// Sends a call. Fails if the smoke test is stopped.
    pub(crate) async fn send<O: InFunction>(&self, step: &Step<'_, O>) -> anyhow::Result<HttpAnswer> {
        if self.is_stopped() {
            bail!("stopped");
        }
        self.api.send(step.call.http()).await.with_context(|| step.label.to_owned())
    }

    /// Reads all rows of a list.
    pub(crate) async fn list<O: PagedList>(&self, request: O::Request) -> anyhow::Result<Vec<O::Row>> {
        let (label, mut pages) = (format!("the list of {}", O::ROWS), Pages::<O>::of(request));
        let (mut rows, mut cursor) = (Vec::new(), None);
        for _ in 0..LIST_PAGES_MAX {
            let step = Step { label: &label, call: pages.call(cursor)? };
            let page = step.accepted(&self.send(&step).await?, Success::Done, |_| Vec::new())?;
            let (more, next) = O::into_rows(page);
            rows.extend(more);
            if next.is_none() {
                return Ok(rows);
            }
            cursor = next;
        }
        bail!("{label} has no end")
    }

    fn org_request(&self) -> OrgRequest {
        OrgRequest { org_id: self.org.clone() }
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
        let call = Call::<DeleteOrg>::new(&self.org_request())?;
        let deadline = Deadline::after(REMOVAL_TIME_MAX);
        while !deadline.remaining().is_zero() {
            let answer = self.api.send(call.http()).await?;
            match answer.read::<DeleteOrg>()? {
                Ok(removal) if removal.answer.complete => return Ok(()),
                Ok(_) => {}
                Err(problem) if problem.is_of_kind(RejectionKind::NotFound) => return Ok(()),
                Err(_) => bail!(describe_answer(&answer)),
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
