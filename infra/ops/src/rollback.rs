//! `ctl rollback`: the alias that everything calls a function by is set back to an earlier version.
//!
//! The stack does not know: it still says the newer version, so a deployment of unchanged code changes nothing, and the
//! next one of changed code publishes a version and moves the alias there.

use std::process::ExitCode;

use aws_sdk_lambda::{Client, operation::get_alias::GetAliasOutput};

use crate::{
    cloud::{Cloud, LIVE},
    service_error::{Kind, Trouble},
};
use ctl::{
    addresses::FUNCTIONS,
    report::{complain, say},
};

/// What whoever set something back should know.
const NEXT: &str = "The stack still says the newer version. Deploying unchanged code and settings changes nothing; deploying \
                    changed ones publishes a version and moves the alias there.";

/// What was done with a function, on a line.
enum Done {
    SetBack(String),
    LeftAlone(String),
}

/// Sets back one function, or all. What one of all is refused holds up no other.
pub(crate) async fn command(cloud: &Cloud, only: Option<&str>, to: Option<u64>) -> anyhow::Result<ExitCode> {
    let versions = Versions { cloud, client: Client::new(&cloud.config) };
    let (mut is_any_set_back, mut is_any_there, mut troubles) = (false, false, Vec::new());
    for function in FUNCTIONS.into_iter().filter(|function| only.is_none_or(|only| only == *function)) {
        match versions.set_back(function, only.is_some(), to).await {
            Ok(Done::SetBack(line)) => {
                say(&line);
                is_any_set_back = true;
            }
            Ok(Done::LeftAlone(line)) => say(&line),
            Err(trouble) if trouble.kind == Kind::OfAll => return Err(trouble.into()),
            Err(trouble) => {
                is_any_there |= trouble.kind != Kind::NotThere;
                troubles.push(trouble);
                continue;
            }
        }
        is_any_there = true;
    }
    if is_any_set_back {
        say(NEXT);
    }
    // Where none is there, the stack has another name: that is one thing to say.
    troubles.truncate(if is_any_there { troubles.len() } else { 1 });
    for trouble in &troubles {
        complain(&format!("ctl: {trouble}"));
    }
    Ok(if troubles.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Versions<'a> {
    cloud: &'a Cloud,
    client: Client,
}

impl Versions<'_> {
    /// One that was asked for by name can't be left where it is without a word.
    async fn set_back(&self, function: &str, is_asked_for: bool, to: Option<u64>) -> Result<Done, Trouble> {
        let alias = self.alias(function).await?;
        let weights = alias.routing_config().and_then(|routing| routing.additional_version_weights());
        if weights.is_some_and(|weights| !weights.is_empty()) {
            let why = "is being deployed: stop that deployment in CodeDeploy, which sets it back by itself";
            return Err(format!("{function} {why}").into());
        }
        let current = alias.function_version().and_then(|version| version.parse::<u64>().ok());
        let current = current.ok_or_else(|| format!("{function}: the alias {LIVE} points at no published version"))?;
        let published = self.published(function).await?;
        let target = match to {
            Some(version) if version == current => {
                return Ok(Done::LeftAlone(format!("{function}: {current} already")));
            }
            Some(version) if published.contains(&version) => version,
            Some(version) => {
                return Err(format!("{function} has no version {version}, only {}", listed(&published)).into());
            }
            None => match published.iter().filter(|version| **version < current).max() {
                Some(version) => *version,
                None if is_asked_for => {
                    return Err(format!("{function}: {current}, and there is none before it").into());
                }
                None => return Ok(Done::LeftAlone(format!("{function}: {current}, and there is none before it"))),
            },
        };
        // Where somebody else has moved it meanwhile, the revision is another, and nothing is changed.
        let update = self.client.update_alias().function_name(self.cloud.named(function)).name(LIVE);
        let update = update.function_version(target.to_string()).set_revision_id(alias.revision_id);
        update.send().await.map_err(|error| self.said(function, self.cloud.trouble("Lambda", &error)))?;
        let newer = published.iter().filter(|version| **version > current).max();
        let newer = newer.map_or_else(String::new, |version| format!(" ({version} is published, and was not live)"));
        Ok(Done::SetBack(format!("{function}: {current} -> {target}{newer}")))
    }

    async fn alias(&self, function: &str) -> Result<GetAliasOutput, Trouble> {
        let alias = self.client.get_alias().function_name(self.cloud.named(function)).name(LIVE).send().await;
        alias.map_err(|error| self.said(function, self.cloud.trouble("Lambda", &error)))
    }

    /// The versions that are there, oldest first.
    async fn published(&self, function: &str) -> Result<Vec<u64>, Trouble> {
        let mut pages =
            self.client.list_versions_by_function().function_name(self.cloud.named(function)).into_paginator().send();
        let mut published = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.said(function, self.cloud.trouble("Lambda", &error)))?;
            let versions = page.versions().iter().filter_map(|version| version.version());
            published.extend(versions.filter_map(|version| version.parse::<u64>().ok()));
        }
        published.sort_unstable();
        Ok(published)
    }

    fn said(&self, function: &str, trouble: Trouble) -> Trouble {
        trouble.about(|| self.cloud.missing_function(function))
    }
}

fn listed(versions: &[u64]) -> String {
    versions.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
