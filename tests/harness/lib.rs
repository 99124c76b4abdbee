//! What the tests are made of.
//!
//! | room | what it is |
//! |---|---|
//! | [`world`] | the system of a test: every function, on a DynamoDB of its own behind a wire that can fail |
//! | [`scenario`] | tests as sentences: `world().await.customer("ada").award(…).expect_balance("ada", 49).await` |
//! | [`faults`] | the wire: counts requests, and loses, hangs or refuses the one it is told to |
//! | [`account`] | stand-ins for services of the account that a stack is in |
//! | [`anthropic`] | a stand-in for the API that Claude is asked over |
//! | [`audit`] | what must hold of every ledger, whatever happened |
//! | [`bundles`] | bundles in scenarios, and what must hold of every one of them |
//! | [`cloudwatch`] | a stand-in for CloudWatch: the template's alarms, over what was recorded |
//! | [`customers`] | many customers at once, and the tiers that they hold |
//! | [`expression`] | metric math, as far as the template uses it |
//! | [`log`] | everything that is logged on a thread, kept to be looked at |
//! | [`operations`] | one call of every operation of every function |
//! | [`roles`] | what the template's roles allow, enforced on what is asked of DynamoDB |
//! | [`slack`] | a stand-in for a channel's webhook |
//! | [`secrets`] | a stand-in for Secrets Manager, with one secret in it that can be rotated |
//! | [`waits`] | a sleeper that writes down what is asked of it, and does not wait |
//! | [`watch`] | a world whose records go to the alarms of the template |
//! | [`vectors`] | every row of a file of cases |
//! | [`runtime_api`] | a stand-in for what hands a deployed function its calls |
//! | [`purchase_log`] | a real purchase log, told to the rules |
//! | [`front`] | a proxy in front of a local stack that breaks one function on purpose |
//! | [`gcloud`] | a stand-in for the command line of Google Cloud |
//! | [`programs`] | the built binaries, run as a user runs them |

pub mod account;
pub mod anthropic;
pub mod audit;
pub mod bundles;
pub mod cloudwatch;
pub mod customers;
pub mod expression;
pub mod faults;
pub mod front;
pub mod gcloud;
pub mod log;
pub mod operations;
pub mod programs;
pub mod purchase_log;
pub mod roles;
pub mod runtime_api;
pub mod scenario;
pub mod secrets;
pub mod slack;
pub mod vectors;
pub mod waits;
pub mod watch;
pub mod world;

pub use scenario::{Scenario, world};
pub use world::{Request, Response, World};

/// The repository's root, from which its files are read.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// An instant, as a test writes it.
pub fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    shared::domain::time::parse(text).unwrap_or_else(|rule| panic!("{text} {rule}"))
}
