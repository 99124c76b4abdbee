//! Reports the figures of each shop's last week beside their targets: Mondays at 09:00, and on request.
//!
//! `shared::domain::report` defines the figures, their computation and their text.

pub mod answer;
mod count;
pub mod report;
mod run;
mod slack;
pub mod view;

use report::ReportWeek;

shared::function!("weekly-report": job ReportWeek);
