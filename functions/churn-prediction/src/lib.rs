//! Scores each active customer's risk of leaving: weekly, and on request.
//!
//! - `shared::domain::churn` defines the features, the statistical model and the risk levels.
//! - `shared::jobs::sweep` splits a run of any size into calls.

pub mod answer;
pub mod claude;
mod look_back;
mod model;
pub mod predict;
mod run;
mod score;

use predict::PredictChurn;

shared::function!("churn-prediction": job PredictChurn);
