//! `ctl report`: prints an org's last week, as counted by the weekly report.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chrono::{DateTime, Utc};
use client::Call;
use shared::domain::ids::OrgId;
use weekly_report::report::ReportWeek;

use crate::{api::Api, output::print_line, requests::report_of};

/// Time limit of a report: the longest duration of a function.
const REPORT_TIMEOUT: Duration = Duration::from_mins(15);

/// Prints the figures of the last week.
pub(crate) async fn run(org: &OrgId, api: &Api) -> anyhow::Result<ExitCode> {
    print(api, org, None).await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the figures of the week before `now`, which sets the clock of a local stack.
pub(crate) async fn print(api: &Api, org: &OrgId, now: Option<DateTime<Utc>>) -> anyhow::Result<()> {
    let call = Call::<ReportWeek>::new(&report_of(org))?;
    let call = match now {
        Some(now) => call.at(now),
        None => call,
    };
    // A retry would count the whole week again, so there is one attempt with a long time limit.
    let report = api.clone().with_limits(1, REPORT_TIMEOUT).call(&call).await?.answer;
    let report = report.orgs.into_iter().next();
    let report =
        report.with_context(|| format!("the week of {org} could not be counted: see the log of weekly-report"))?;
    print_line(&format!("The week of {}", report.name.as_str()));
    report.lines.iter().for_each(|line| print_line(line));
    Ok(())
}
