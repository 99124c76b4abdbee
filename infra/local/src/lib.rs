//! The local stack: the deployed system on one machine.
//!
//! | room | what it does |
//! |---|---|
//! | [`template`] | reads tables, functions and environment from `infra/template.yaml`, and refuses the rest |
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
pub mod gateway;
mod guard;
mod properties;
mod resolve;
pub mod schedules;
pub mod stack;
pub mod table;
pub mod template;
pub mod yaml;

use shared::host::Function;

/// Every function there is. That these are the template's, and the folder's, is tested.
pub const FUNCTIONS: [Function; 8] = [
    bundle_transitions::FUNCTION,
    bundle_redemption::FUNCTION,
    points_award::FUNCTION,
    points_redemption::FUNCTION,
    tier_recalculation::FUNCTION,
    back_office::FUNCTION,
    churn_prediction::FUNCTION,
    weekly_report::FUNCTION,
];
