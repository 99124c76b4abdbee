//! Churn predictions.
//!
//! | to find | look in |
//! |---|---|
//! | runs of the job | [`prediction`] |
//! | runs in which something fails | [`failures`] |
//! | requests to Claude | [`claude`] |
//! | figures and trend of a customer | [`features`] |
//! | the statistical model | [`model`] |
//! | probabilities, risk levels, accuracy | [`accuracy`] |

mod accuracy;
mod claude;
mod failures;
mod features;
mod model;
mod prediction;
