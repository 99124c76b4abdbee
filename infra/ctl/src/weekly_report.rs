//! `ctl report`: prints an org's last week, as counted by the weekly report.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, ApiRequest},
    output::print_line,
};

/// Time limit of a report: the longest duration of a function.
const REPORT_TIMEOUT: Duration = Duration::from_mins(15);

/// Prints the figures of the last week.
pub(crate) async fn run(org: &OrgId, api: &Api) -> anyhow::Result<ExitCode> {
    print(api, org, None).await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the figures of the week before `now`, which sets the clock of a local stack.
pub(crate) async fn print(api: &Api, org: &OrgId, now: Option<DateTime<Utc>>) -> anyhow::Result<()> {
    let request = ApiRequest { now, ..ApiRequest::post("weekly-report", "/", json!({ "orgId": org })) };
    // A retry would count the whole week again, so there is one attempt with a long time limit.
    let answer = api.clone().with_limits(1, REPORT_TIMEOUT).send(&request).await?.into_accepted_body()?;
    let report = answer
        .pointer("/orgs/0")
        .with_context(|| format!("the week of {org} could not be counted: see the log of weekly-report"))?;
    print_line(&format!("The week of {}", report.get("name").and_then(Value::as_str).unwrap_or_default()));
    for line in report.get("lines").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        print_line(line);
    }
    Ok(())
}
