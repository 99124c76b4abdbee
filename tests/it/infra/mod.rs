//! The infrastructure and its tools.
//!
//! | to find | look in |
//! |---|---|
//! | schedules and the state machine | [`template`] |
//! | alarms | [`alarms`] |
//! | IAM roles | [`roles`] |
//! | the local stack | [`local`] |
//! | Cloud Run and Cloud Scheduler | [`cloud_run`] |
//! | the typed client of `infra/client` | [`client`] |
//! | the command line `ctl` | [`ctl`] |

mod alarms;
mod client;
mod cloud_run;
mod ctl;
mod local;
mod roles;
mod template;
