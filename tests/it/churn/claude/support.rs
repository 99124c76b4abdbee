//! A client of the API with a stand-in, and customers to score.

use std::time::Duration;

use churn_prediction::claude::{Claude, ClaudeInput, Verdict};
use harness::{anthropic::Anthropic, waits::RecordedWaits};
use shared::{
    clock::Deadline,
    config::{Config, SecretText},
    domain::{
        churn::{
            features::{Features, Trend},
            risk::Probability,
        },
        decimal::TwoPlaceDecimal,
        money::Money,
        points::Points,
        segment::Segment,
        text::SingleLine,
    },
    failure::Failure,
    secrets,
};

pub(super) const KEY: &str = "sk-ant-a-key-of-the-tests";

pub(super) const HORIZON: u32 = 90;

/// A deadline far longer than any test takes.
pub(super) fn in_time() -> Deadline {
    Deadline::after(Duration::from_mins(5))
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn config(settings: &[(&str, &str)]) -> Result<Config, String> {
    let set = |name: &str| settings.iter().find(|(setting, _)| *setting == name).map(|(_, value)| (*value).to_owned());
    Config::from_lookup(|name| set(name).or_else(|| (name == "TABLE_NAME").then(|| "regulars".into())))
        .map_err(|error| error.to_string())
}

/// Reads the key as a call does.
pub(super) async fn read_key(config: &Config) -> Result<Option<SecretText>, Failure> {
    secrets::resolve(config.claude.key.as_ref(), config.secrets_endpoint.as_deref()).await
}

/// A client, the stand-in that it calls, and its recorded waits.
pub(super) struct TestClient {
    pub(super) anthropic: Anthropic,
    pub(super) waits: RecordedWaits,
    pub(super) claude: Claude,
}

pub(super) async fn test_client(settings: &[(&str, &str)]) -> TestClient {
    let (anthropic, waits) = (Anthropic::start().await, RecordedWaits::default());
    let url = anthropic.url();
    let settings = config(&[settings, &[("ANTHROPIC_BASE_URL", url.as_str())]].concat()).unwrap().claude;
    let claude = Claude::new(&settings, SecretText::new(KEY), waits.sleeper());
    TestClient { anthropic, waits, claude }
}

impl TestClient {
    pub(super) async fn score(&self, rows: &[ClaudeInput]) -> Vec<Option<Verdict>> {
        self.claude.score(HORIZON, rows, in_time()).await
    }

    pub(super) fn requests(&self) -> u32 {
        count(&self.anthropic.requests())
    }
}

pub(super) fn count<T>(what: &[T]) -> u32 {
    what.len().try_into().unwrap()
}

/// This many customers. The first ordered a day ago, the second two days ago, and so on.
pub(super) fn rows(count: u32) -> Vec<ClaudeInput> {
    (1..=count).map(row).collect()
}

pub(super) fn row(days: u32) -> ClaudeInput {
    let features = Features {
        days_since_last_order: days,
        orders: 7,
        lifetime_value: Money::from_minor(49_990).unwrap(),
        average_order_value: Money::from_minor(7_141).unwrap(),
        days_since_first_order: 400,
        orders_per_month: TwoPlaceDecimal::from_hundredths(53),
        trend: Trend::Declining,
        segment: Segment::AtRisk,
        tier: Some(line("Gold")),
        points: Points(120),
    };
    ClaudeInput::new(&features, probability(days))
}

pub(super) fn line(text: &str) -> SingleLine {
    text.to_owned().try_into().unwrap()
}

pub(super) fn probability(days: u32) -> Probability {
    Probability::from_percent(f64::from(days) + 0.25).unwrap()
}

/// The verdict that the stand-in gives on a customer.
pub(super) fn right(days: u32) -> Verdict {
    Verdict { probability: probability(days), reasoning: line(&format!("Has not ordered for {days} days.")) }
}

pub(super) fn all_right(count: u32) -> Vec<Option<Verdict>> {
    (1..=count).map(|days| Some(right(days))).collect()
}
