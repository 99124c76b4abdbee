//! `ctl report`: an org's last week, as the weekly report tells it.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared::domain::ids::OrgId;

use crate::{
    api::{Api, Request},
    report::say,
};

/// How long a count may take.
const LONGEST: Duration = Duration::from_mins(15);

/// Prints the figures of the week before now.
pub(crate) async fn command(org: &OrgId, api: &Api) -> anyhow::Result<ExitCode> {
    show(api, org, None).await?;
    Ok(ExitCode::SUCCESS)
}

/// The same, as a local stack sees it at `now`.
pub(crate) async fn show(api: &Api, org: &OrgId, now: Option<DateTime<Utc>>) -> anyhow::Result<()> {
    let request = Request { now, ..Request::post("weekly-report", "/", json!({ "orgId": org })) };
    // Once, and as long as a function may take: a week that is counted twice is counted no sooner.
    let answer = api.clone().bounded(1, LONGEST).send(&request).await?.accepted()?;
    let report =
        answer.pointer("/orgs/0").with_context(|| format!("the week of {org} could not be counted: see its log"))?;
    say(&format!("The week of {}", report.get("name").and_then(Value::as_str).unwrap_or_default()));
    for line in report.get("lines").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        say(line);
    }
    Ok(())
}
