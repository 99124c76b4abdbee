//! The harness of the tests.
//!
//! | room | what it is |
//! |---|---|
//! | [`world`] | the system of one test: every function, with its own DynamoDB behind a proxy that injects faults |
//! | [`scenario`] | tests as sentences: `world().await.customer("ada").award(…).expect_balance("ada", 49).await` |
//! | [`faults`] | the proxy between functions and DynamoDB: counts requests, enforces roles, injects faults |
//! | [`amendments`] | orders that change: requests, and steps of a scenario |
//! | [`anthropic`] | a stand-in for Anthropic's Messages API |
//! | [`audit`] | the invariants of every ledger |
//! | [`aws_services`] | stand-ins for AWS services that `ctl` calls |
//! | [`bundle_steps`] | steps of a scenario that define, redeem and check bundles |
//! | [`bundles`] | requests about bundles, and the invariants of every bundle |
//! | [`cloudwatch`] | a stand-in for CloudWatch: the template's alarms over recorded metrics |
//! | [`contract`] | checks calls against the API documents |
//! | [`customers`] | many customers at once, and the tiers they hold |
//! | [`declared`] | operations that exist only in tests |
//! | [`expression`] | CloudWatch's metric math, as far as the template uses it |
//! | [`gcloud`] | a stand-in for the command line of Google Cloud |
//! | [`lists`] | lists, read page by page |
//! | [`log`] | captured log lines of one thread |
//! | [`monitored_world`] | a world whose metrics feed the template's alarms |
//! | [`operations`] | one call of every operation of every function |
//! | [`programs`] | the built binaries, run as processes |
//! | [`purchase_log`] | customers of a real purchase log, as known on a date |
//! | [`roles`] | the DynamoDB actions that the template's roles allow |
//! | [`rules`] | rules, with the arguments that most tests need |
//! | [`runtime_api`] | a stand-in for Lambda's runtime API |
//! | [`secrets`] | a stand-in for Secrets Manager with one secret |
//! | [`slack`] | a stand-in for a Slack webhook |
//! | [`stack_proxy`] | a proxy in front of a local stack that breaks one function |
//! | [`vectors`] | the rows of a vector file |
//! | [`waits`] | a sleeper that records waits and returns at once |

pub mod amendments;
pub mod anthropic;
pub mod audit;
pub mod aws_services;
pub mod bundle_steps;
pub mod bundles;
pub mod cloudwatch;
pub mod contract;
pub mod customers;
pub mod declared;
pub mod expression;
pub mod faults;
pub mod gcloud;
pub mod lists;
pub mod log;
pub mod monitored_world;
pub mod operations;
pub mod programs;
pub mod purchase_log;
pub mod roles;
pub mod rules;
pub mod runtime_api;
pub mod scenario;
pub mod secrets;
pub mod slack;
pub mod stack_proxy;
pub mod vectors;
pub mod waits;
pub mod world;

pub use scenario::{Scenario, world};
pub use world::{Request, Response, World};

/// The root of the repository.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A value of a request, such as an id or an amount, which must be valid.
pub fn valid<T: deserr::Deserr<shared::inbound::fields::FieldErrors>>(json: impl Into<serde_json::Value>) -> T {
    client::value(json).unwrap_or_else(|error| panic!("{error}"))
}

/// Parses an RFC 3339 instant.
pub fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    shared::domain::time::parse(text).unwrap_or_else(|rule| panic!("{text} {rule}"))
}
