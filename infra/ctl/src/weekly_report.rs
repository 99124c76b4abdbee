//! `ctl report`: an org's last week, as the weekly report tells it.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, ApiRequest},
    output::print_line,
};

/// How long a count may take.
const REPORT_TIMEOUT: Duration = Duration::from_mins(15);

/// Prints the figures of the week before now.
pub(crate) async fn run(org: &OrgId, api: &Api) -> anyhow::Result<ExitCode> {
    print(api, org, None).await?;
    Ok(ExitCode::SUCCESS)
}

/// The same, as a local stack sees it at `now`.
pub(crate) async fn print(api: &Api, org: &OrgId, now: Option<DateTime<Utc>>) -> anyhow::Result<()> {
    let request = ApiRequest { now, ..ApiRequest::post("weekly-report", "/", json!({ "orgId": org })) };
    // Once, and as long as a function may take: a week that is counted twice is counted no sooner.
    let answer = api.clone().with_limits(1, REPORT_TIMEOUT).send(&request).await?.into_accepted_body()?;
    let report =
        answer.pointer("/orgs/0").with_context(|| format!("the week of {org} could not be counted: see its log"))?;
    print_line(&format!("The week of {}", report.get("name").and_then(Value::as_str).unwrap_or_default()));
    for line in report.get("lines").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        print_line(line);
    }
    Ok(())
}
