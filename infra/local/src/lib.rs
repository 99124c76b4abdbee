//! The local stack: the deployed system on one machine.
//!
//! | room | what it does |
//! |---|---|
//! | [`template`] | reads tables, functions and environment from `infra/template.yaml`, and refuses the rest |
//! | [`specs`] | the table and the functions, as the template declares them |
//! | [`yaml`] | CloudFormation's YAML as JSON |
//! | [`engine`] | the embedded DynamoDB, and whose its data file is |
//! | `dynamodb` | DynamoDB's protocol on it |
//! | `guard` | keeps web pages out |
//! | [`table`] | the table the template declares, created or compared |
//! | [`stack`] | every function in its host, on that table |
//! | [`schedules`] | when the template has functions called by the clock |
//! | [`gateway`] | function URLs and the Lambda Invoke API on one port |
//!
//! Functions are entered by the bytes that Lambda would hand them. What the cloud adds and this does not: IAM, quotas,
//! and the delivery of events (invoke the function with one instead).

mod dynamodb;
pub mod engine;
mod functions;
pub mod gateway;
mod guard;
mod properties;
mod resolve;
pub mod schedules;
pub mod specs;
pub mod stack;
pub mod table;
pub mod template;
pub mod yaml;

pub use functions::FUNCTIONS;
