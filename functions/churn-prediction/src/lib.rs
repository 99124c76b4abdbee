//! Scores each active customer's risk of leaving.
//!
//! How Claude is asked is in [`claude`].

pub mod claude;

use shared::{
    event::operation::Operation,
    host::{Function, Reply},
};

/// The function.
pub const FUNCTION: Function = Function {
    name: "churn-prediction",
    operations: &[(Operation::new("predict", "POST", "/").on_schedule(), |_, _| {
        Box::pin(async { Ok(Reply::ok(&serde_json::json!({}))) })
    })],
};
