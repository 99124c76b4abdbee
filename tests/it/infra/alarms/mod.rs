//! Every alarm of the template goes off for its cause, and is over when the cause is.
//!
//! | to find | look in |
//! |---|---|
//! | alarms on jobs and queues | [`jobs`] |
//! | alarms on awards, redemptions, promotions, deployments | [`services`] |
//! | alarms on churn predictions and Claude | [`churn`] |
//! | whether every alarm is tested | [`coverage`] |
//! | helpers of these tests | [`support`] |
//!
//! Metrics go through the statistic, period, threshold and missing-data rule of the template. A rejected request sets off
//! no alarm. A crash leaves only a log line of Lambda. Throttled calls and queues are counted by Lambda and SQS alone.

mod churn;
mod coverage;
mod jobs;
mod services;
mod support;
