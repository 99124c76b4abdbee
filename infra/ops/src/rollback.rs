//! `ctl rollback`: moves the alias of a function back to an earlier version.
//!
//! The stack does not record the rollback and still names the newer version. Deploying unchanged code therefore changes
//! nothing. Deploying changed code publishes a version and moves the alias there.

use std::process::ExitCode;

use aws_sdk_lambda::{Client, operation::get_alias::GetAliasOutput};

use crate::{
    deployed_stack::{DeployedStack, LIVE_ALIAS},
    service_error::{ServiceError, ServiceErrorKind},
};
use ctl::{
    addresses::FUNCTIONS,
    output::{print_error, print_line},
};

/// The note after a rollback, about the effect of the next deployment.
const AFTER_ROLLBACK_NOTE: &str = "The stack still says the newer version. Deploying unchanged code and settings changes \
                                   nothing; deploying changed ones publishes a version and moves the alias there.";

/// The outcome for a function, with its line.
enum RollbackOutcome {
    RolledBack(String),
    Unchanged(String),
}

/// Rolls back one function, or all. With several functions, a failed rollback does not stop the others.
pub(crate) async fn run(
    stack: &DeployedStack,
    function_filter: Option<&str>,
    target_version: Option<u64>,
) -> anyhow::Result<ExitCode> {
    let versions = FunctionVersions { stack, client: Client::new(&stack.config) };
    let (mut is_any_rolled_back, mut is_any_found, mut errors) = (false, false, Vec::new());
    for function in FUNCTIONS.into_iter().filter(|function| function_filter.is_none_or(|name| name == *function)) {
        match versions.roll_back(function, function_filter.is_some(), target_version).await {
            Ok(RollbackOutcome::RolledBack(line)) => {
                print_line(&line);
                is_any_rolled_back = true;
            }
            Ok(RollbackOutcome::Unchanged(line)) => print_line(&line),
            Err(error) if error.kind == ServiceErrorKind::AccountUnusable => return Err(error.into()),
            Err(error) => {
                is_any_found |= error.kind != ServiceErrorKind::NotFound;
                errors.push(error);
                continue;
            }
        }
        is_any_found = true;
    }
    if is_any_rolled_back {
        print_line(AFTER_ROLLBACK_NOTE);
    }
    // If no function exists, the stack's name is wrong, and one line says so.
    errors.truncate(if is_any_found { errors.len() } else { 1 });
    for error in &errors {
        print_error(&format!("ctl: {error}"));
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The versions of the stack's functions.
struct FunctionVersions<'a> {
    stack: &'a DeployedStack,
    client: Client,
}

impl FunctionVersions<'_> {
    /// Rolls back a function. Fails if a function was named and has no earlier version.
    async fn roll_back(
        &self,
        function: &str,
        is_named: bool,
        target_version: Option<u64>,
    ) -> Result<RollbackOutcome, ServiceError> {
        let live_alias = self.live_alias(function).await?;
        let weights = live_alias.routing_config().and_then(|routing| routing.additional_version_weights());
        if weights.is_some_and(|weights| !weights.is_empty()) {
            let reason = "is being deployed: stop that deployment in CodeDeploy, which sets it back by itself";
            return Err(format!("{function} {reason}").into());
        }
        let current = live_alias.function_version().and_then(|version| version.parse::<u64>().ok());
        let current =
            current.ok_or_else(|| format!("{function}: the alias {LIVE_ALIAS} points at no published version"))?;
        let published_versions = self.published_versions(function).await?;
        let target = match target_version {
            Some(version) if version == current => {
                return Ok(RollbackOutcome::Unchanged(format!("{function}: {current} already")));
            }
            Some(version) if published_versions.contains(&version) => version,
            Some(version) => {
                return Err(format!(
                    "{function} has no version {version}, only {}",
                    join_versions(&published_versions)
                )
                .into());
            }
            None => match published_versions.iter().filter(|version| **version < current).max() {
                Some(version) => *version,
                None if is_named => {
                    return Err(format!("{function}: {current}, and there is none before it").into());
                }
                None => {
                    return Ok(RollbackOutcome::Unchanged(format!(
                        "{function}: {current}, and there is none before it"
                    )));
                }
            },
        };
        // If another caller has moved the alias meanwhile, its revision differs, and Lambda rejects the update.
        let update = self.client.update_alias().function_name(self.stack.resource_name(function)).name(LIVE_ALIAS);
        let update = update.function_version(target.to_string()).set_revision_id(live_alias.revision_id);
        update
            .send()
            .await
            .map_err(|error| self.function_error(function, self.stack.service_error("Lambda", &error)))?;
        let newer = published_versions.iter().filter(|version| **version > current).max();
        let newer = newer.map_or_else(String::new, |version| format!(" ({version} is published, and was not live)"));
        Ok(RollbackOutcome::RolledBack(format!("{function}: {current} -> {target}{newer}")))
    }

    async fn live_alias(&self, function: &str) -> Result<GetAliasOutput, ServiceError> {
        let live_alias =
            self.client.get_alias().function_name(self.stack.resource_name(function)).name(LIVE_ALIAS).send().await;
        live_alias.map_err(|error| self.function_error(function, self.stack.service_error("Lambda", &error)))
    }

    /// The existing versions, oldest first.
    async fn published_versions(&self, function: &str) -> Result<Vec<u64>, ServiceError> {
        let mut pages = self
            .client
            .list_versions_by_function()
            .function_name(self.stack.resource_name(function))
            .into_paginator()
            .send();
        let mut published_versions = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| self.function_error(function, self.stack.service_error("Lambda", &error)))?;
            let versions = page.versions().iter().filter_map(|version| version.version());
            published_versions.extend(versions.filter_map(|version| version.parse::<u64>().ok()));
        }
        published_versions.sort_unstable();
        Ok(published_versions)
    }

    fn function_error(&self, function: &str, error: ServiceError) -> ServiceError {
        error.with_not_found(|| self.stack.function_not_found(function))
    }
}

fn join_versions(versions: &[u64]) -> String {
    versions.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
