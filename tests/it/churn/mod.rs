//! Churn predictions.
//!
//! | to find | look in |
//! |---|---|
//! | runs of the job | [`prediction`] |
//! | runs that ask Claude | [`with_claude`] |
//! | runs in which something fails | [`failures`] |
//! | past predictions compared with outcomes, the stored model | [`hindsight`] |
//! | customers listed by risk level | [`risk_list`] |
//! | the client of the API | [`claude`] |
//! | figures and trend of a customer | [`features`] |
//! | the statistical model | [`model`] |
//! | probabilities, risk levels, accuracy | [`accuracy`] |
//! | helpers of these tests | [`support`] |

mod accuracy;
mod claude;
mod failures;
mod features;
mod hindsight;
mod model;
mod prediction;
mod risk_list;
mod support;
mod with_claude;
