//! Runs the smoke test: checks one system after another and removes the org.

use std::{pin::pin, process::ExitCode, time::Duration};

use anyhow::{Context, anyhow};
use shared::{
    clock::{self, Stopwatch},
    domain::ids::OrgId,
    host::stop_signal,
};

use super::{
    back_office, bundles, churn, org_overview, points, points_expiry,
    test_shop::{CheckResult, TestShop},
    tiers, weekly_report,
};
use crate::{
    api::Api,
    output::{print_error, print_line},
};

/// Attempts of a request.
const ATTEMPTS_MAX: usize = 3;

/// Time limit of one attempt.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Time limit of a check. Scoring by Claude takes longest, and so does a revoked key in the caches of other processes.
const CHECK_TIME_MAX: Duration = Duration::from_mins(3);

/// How long an interrupted smoke test waits for the request in flight.
const INTERRUPT_WAIT_MAX: Duration = Duration::from_secs(15);

#[derive(Clone, Copy)]
enum System {
    BackOffice,
    BundleTransitions,
    BundleRedemption,
    PointsAward,
    PointsRedemption,
    PointsExpiry,
    TierRecalculation,
    ChurnPrediction,
    WeeklyReport,
}

impl System {
    /// All systems, in the order of their checks. A system that others depend on comes first.
    const ALL: [Self; 9] = [
        Self::BackOffice,
        Self::BundleTransitions,
        Self::BundleRedemption,
        Self::PointsAward,
        Self::PointsRedemption,
        Self::PointsExpiry,
        Self::TierRecalculation,
        Self::ChurnPrediction,
        Self::WeeklyReport,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::BackOffice => "back office",
            Self::BundleTransitions => "bundle transitions",
            Self::BundleRedemption => "bundle redemption",
            Self::PointsAward => "points award",
            Self::PointsRedemption => "points redemption",
            Self::PointsExpiry => "points expiry",
            Self::TierRecalculation => "tier recalculation",
            Self::ChurnPrediction => "churn prediction",
            Self::WeeklyReport => "weekly report",
        }
    }

    async fn check(self, shop: &TestShop) -> CheckResult {
        match self {
            Self::BackOffice => back_office::check(shop).await,
            Self::BundleTransitions => bundles::check_transitions(shop).await,
            Self::BundleRedemption => bundles::check_redemption(shop).await,
            Self::PointsAward => points::check_award(shop).await,
            Self::PointsRedemption => points::check_redemption(shop).await,
            Self::PointsExpiry => points_expiry::check(shop).await,
            Self::TierRecalculation => tiers::check(shop).await,
            Self::ChurnPrediction => churn::check(shop).await,
            Self::WeeklyReport => weekly_report::check(shop).await,
        }
    }
}

/// The result of all checks.
enum SmokeTestResult {
    AllPassed,
    /// This number of checks failed.
    Failed(usize),
    /// The remaining checks were skipped, for this reason.
    CutShort(String),
}

/// Checks every system. If `org_to_print` is given, prints its overview first. Exit code 0 means that every check
/// passed and that the org was removed.
pub(crate) async fn run(org_to_print: Option<&OrgId>, api: Api) -> anyhow::Result<ExitCode> {
    let watch = Stopwatch::start();
    let api = api.with_limits(ATTEMPTS_MAX, ANSWER_TIMEOUT);
    api.require_every_function()?;
    let shop = TestShop::named_by_time(clock::now(), api.clone())?;
    shop.without_retries(ANSWER_TIMEOUT).check_reachable().await?;
    if let Some(org) = org_to_print {
        org_overview::print(&api, org).await.with_context(|| format!("org {org}"))?;
    }

    print_line(&format!("Checking every system in an org of its own, {} …", shop.org));
    let result = check_all(&shop).await;
    let removed = shop.remove().await;
    if let Err(error) = &removed {
        print_error(&format!("ctl: the org {} may be left behind: {error:#}", shop.org));
    }
    let summary = match &result {
        SmokeTestResult::AllPassed => format!("All {} systems hold", System::ALL.len()),
        SmokeTestResult::Failed(count) => format!("{count} of {} systems do not hold", System::ALL.len()),
        SmokeTestResult::CutShort(reason) => format!("Cut short: {reason}"),
    };
    let org = if removed.is_ok() { "; the org is removed" } else { "" };
    print_line(&format!("{summary}{org} ({:.1} s)", watch.elapsed().as_secs_f64()));
    let is_passed = matches!(result, SmokeTestResult::AllPassed) && removed.is_ok();
    Ok(if is_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the checks until they end or a signal comes. After a signal it waits for the request in flight, because a write
/// after the removal of the org would stay.
async fn check_all(shop: &TestShop) -> SmokeTestResult {
    let interrupted = stop_signal();
    let mut running = pin!(run_checks(shop));
    tokio::select! {
        result = &mut running => result,
        () = interrupted => {
            shop.stop();
            // The result of an interrupted check does not count.
            let _ = tokio::time::timeout(INTERRUPT_WAIT_MAX, running).await;
            SmokeTestResult::CutShort("interrupted".into())
        }
    }
}

async fn run_checks(shop: &TestShop) -> SmokeTestResult {
    if let Err(error) = shop.create().await {
        // An interrupted creation is no fault of the back office.
        if shop.is_stopped() {
            return SmokeTestResult::Failed(0);
        }
        print_line(&format!("✗ {}: {error:#}", System::BackOffice.name()));
        return SmokeTestResult::CutShort("there is no org to check the rest in".into());
    }
    let mut failures = 0;
    for system in System::ALL {
        let outcome = tokio::time::timeout(CHECK_TIME_MAX, system.check(shop)).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(anyhow!("expected a result within {} seconds", CHECK_TIME_MAX.as_secs())));
        match outcome {
            _ if shop.is_stopped() => break,
            Ok(passed) => print_line(&format!("✓ {}: {passed}", system.name())),
            Err(error) => {
                failures += 1;
                print_line(&format!("✗ {}: {error:#}", system.name()));
            }
        }
    }
    if failures == 0 { SmokeTestResult::AllPassed } else { SmokeTestResult::Failed(failures) }
}
