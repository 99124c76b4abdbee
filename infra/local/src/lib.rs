//! The local stack runs the deployed system on one machine.
//!
//! | room | what it does |
//! |---|---|
//! | [`template`] | reads table, functions and schedules from `infra/template.yaml`, and rejects the rest |
//! | [`specs`] | the table and the functions, as the template declares them |
//! | `properties` | the properties of the template's resources, used or ignored |
//! | `resolve` | references and global properties of the template |
//! | [`yaml`] | converts CloudFormation's YAML to JSON |
//! | [`engine`] | the embedded DynamoDB and its data file |
//! | `dynamodb` | the protocol of DynamoDB on the engine |
//! | `guard` | rejects requests of web pages |
//! | [`table`] | creates the declared table, or checks the existing one |
//! | `functions` | the functions that the stack hosts |
//! | [`stack`] | every function in its host, on that table |
//! | [`schedules`] | the schedules of the template |
//! | [`gateway`] | function URLs and the Lambda Invoke API on one port |
//!
//! A function receives the same bytes as from Lambda. The local stack has no IAM, no quotas and no delivery of events.
//! To deliver an event, invoke the function with the event.

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
