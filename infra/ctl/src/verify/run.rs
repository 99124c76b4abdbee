//! One run of the smoke test: every system checked in its turn, and the org removed.

use std::{pin::pin, process::ExitCode, time::Duration};

use anyhow::{Context, anyhow};
use shared::{
    clock::{self, Stopwatch},
    domain::ids::OrgId,
    host::stop_signal,
};

use super::{
    back_office, bundles, churn, look, points,
    shop::{Outcome, Shop},
    tiers, week,
};
use crate::{
    api::Api,
    report::{complain, say},
};

/// How often a request is tried, and how long an answer may take.
const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a check may take. It is the scoring by Claude, and a revoked key in other processes' caches, that need so long.
const LIMIT: Duration = Duration::from_mins(3);

/// How long a request in flight is waited for when the smoke test is interrupted.
const GRACE: Duration = Duration::from_secs(15);

#[derive(Clone, Copy)]
enum System {
    BackOffice,
    BundleTransitions,
    BundleRedemption,
    PointsAward,
    PointsRedemption,
    TierRecalculation,
    ChurnPrediction,
    WeeklyReport,
}

impl System {
    /// In the order in which they are checked: what others rest on comes first.
    const ALL: [Self; 8] = [
        Self::BackOffice,
        Self::BundleTransitions,
        Self::BundleRedemption,
        Self::PointsAward,
        Self::PointsRedemption,
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
            Self::TierRecalculation => "tier recalculation",
            Self::ChurnPrediction => "churn prediction",
            Self::WeeklyReport => "weekly report",
        }
    }

    async fn check(self, shop: &Shop) -> Outcome {
        match self {
            Self::BackOffice => back_office::check(shop).await,
            Self::BundleTransitions => bundles::check_transitions(shop).await,
            Self::BundleRedemption => bundles::check_redemption(shop).await,
            Self::PointsAward => points::check_award(shop).await,
            Self::PointsRedemption => points::check_redemption(shop).await,
            Self::TierRecalculation => tiers::check(shop).await,
            Self::ChurnPrediction => churn::check(shop).await,
            Self::WeeklyReport => week::check(shop).await,
        }
    }
}

/// What the checks came to.
enum Verdict {
    AllHold,
    /// So many do not.
    Failed(usize),
    /// The rest was not checked, and why.
    CutShort(String),
}

/// Checks every system, and first looks at an org if one is named. Exit code 0 says that all of them hold and that
/// nothing was left behind.
pub(crate) async fn command(look_at: Option<&OrgId>, api: Api) -> anyhow::Result<ExitCode> {
    let watch = Stopwatch::start();
    let api = api.bounded(TRIES, TIMEOUT);
    api.reaches_every_function()?;
    let shop = Shop::named_at(clock::now(), api.clone())?;
    shop.patient(TIMEOUT).knock().await?;
    if let Some(org) = look_at {
        look::at(&api, org).await.with_context(|| format!("org {org}"))?;
    }

    say(&format!("Checking every system in an org of its own, {} …", shop.org));
    let verdict = check_all(&shop).await;
    let removed = shop.remove().await;
    if let Err(error) = &removed {
        complain(&format!("ctl: the org {} may be left behind: {error:#}", shop.org));
    }
    let how = match &verdict {
        Verdict::AllHold => format!("All {} systems hold", System::ALL.len()),
        Verdict::Failed(count) => format!("{count} of {} systems do not hold", System::ALL.len()),
        Verdict::CutShort(why) => format!("Cut short: {why}"),
    };
    let org = if removed.is_ok() { "; the org is removed" } else { "" };
    say(&format!("{how}{org} ({:.1} s)", watch.elapsed().as_secs_f64()));
    let holds = matches!(verdict, Verdict::AllHold) && removed.is_ok();
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks one system after the other, until all are or a signal comes. Then the request in flight is waited for, because
/// what it wrote after the org's removal would stay.
async fn check_all(shop: &Shop) -> Verdict {
    let interrupted = stop_signal();
    let mut checks = pin!(checks(shop));
    tokio::select! {
        verdict = &mut checks => verdict,
        () = interrupted => {
            shop.stop();
            // Whatever it was: it was cut short.
            let _ = tokio::time::timeout(GRACE, checks).await;
            Verdict::CutShort("interrupted".into())
        }
    }
}

async fn checks(shop: &Shop) -> Verdict {
    if let Err(error) = shop.open().await {
        // Stopped in the middle of it says nothing about the back office.
        if shop.is_stopped() {
            return Verdict::Failed(0);
        }
        say(&format!("✗ {}: {error:#}", System::BackOffice.name()));
        return Verdict::CutShort("there is no org to check the rest in".into());
    }
    let mut failed = 0;
    for system in System::ALL {
        let outcome = tokio::time::timeout(LIMIT, system.check(shop)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(anyhow!("expected within {} seconds", LIMIT.as_secs())));
        match outcome {
            _ if shop.is_stopped() => break,
            Ok(held) => say(&format!("✓ {}: {held}", system.name())),
            Err(error) => {
                failed += 1;
                say(&format!("✗ {}: {error:#}", system.name()));
            }
        }
    }
    if failed == 0 { Verdict::AllHold } else { Verdict::Failed(failed) }
}
