//! Cloud Run and Cloud Scheduler.
//!
//! | to find | look in |
//! |---|---|
//! | functions as services | [`services`] |
//! | the script that makes the jobs, and the definitions | [`jobs`] |

mod jobs;
mod services;
