//! The operation: its declaration and its request.

use shared::{
    clock::Stopwatch,
    domain::{bundle::status::BundleStatus, ids::OrgId, rejection::RefusalCode},
    failure::Failure,
    host::{Context, Declared, JobOperation, Success, Tag},
    inbound::{
        cursor::{Cursor, CursorScope},
        operation::Operation,
    },
    jobs::bundle_status::Reconciler,
    telemetry::metric::Metric,
};

use crate::{
    answer::{RunReport, TransitionsAnswer},
    progress::RunProgress,
    rules,
    run::Run,
    watch,
};

/// Brings the recorded status of bundles up to date.
pub struct TransitionBundles;

/// A call of a run.
#[declare::request]
pub struct TransitionsRequest {
    /// The only org whose bundles are brought up to date. Absent: all orgs.
    pub org_id: Option<OrgId>,
    /// Where an earlier call with the same `orgId` stopped. Absent: a new run begins.
    pub cursor: Option<Cursor>,
    /// Whether the call only reports what would be recorded, and writes nothing.
    #[declare(default)]
    pub dry_run: bool,
}

impl Declared for TransitionBundles {
    const OPERATION: Operation = Operation::new("transition", "POST", "/").on_schedule();
    const TAG: Tag = Tag::Jobs;
    const SUMMARY: &'static str = "Record due changes of bundle status";
    const DESCRIPTION: &'static str = "Brings the recorded status of bundles in line with the clock. A bundle that fails \
        is reported and does not affect the others. A call that has no time left, or nothing more that fits in its \
        answer, returns a `cursor`, with which the next call continues.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[
        Metric::TransitionsPerformed,
        Metric::ErrorsEncountered,
        Metric::Activated,
        Metric::Paused,
        Metric::Expired,
        Metric::HoursSincePointsExpiry,
        Metric::HoursSinceTierRecalculation,
        Metric::HoursSinceChurnPrediction,
        Metric::Runs,
    ];

    type Request = TransitionsRequest;
    type Answer = TransitionsAnswer;
}

impl JobOperation for TransitionBundles {
    async fn run(context: &Context, request: TransitionsRequest) -> Result<TransitionsAnswer, Failure> {
        let stopwatch = Stopwatch::start();
        let TransitionsRequest { org_id, cursor, dry_run } = request;
        let (operation, reports_all) = (context.call.operation, !context.call.is_scheduled);
        let scope = CursorScope { operation, org: org_id.as_ref().map_or("", OrgId::as_str), qualifier: "" };
        let progress = match scope.resume(cursor)? {
            Some(position) => RunProgress::read(&position, context.now)?,
            None => RunProgress::begin(context.now),
        };
        if let Some(org_id) = &org_id {
            context.org(org_id).await?;
        }

        let (now, deadline) = (progress.began(), context.deadline);
        let reconciler = Reconciler { store: &context.store, now, deadline, dry_run };
        let run = Run::new(reconciler, org_id.clone(), reports_all);
        let remaining = run.process_shards(progress.shards()).await?;

        let cursor = scope.next(progress.with_remaining(remaining).map(|progress| progress.position()));
        let (report, is_over) = (run.into_report(), cursor.is_none());
        if !dry_run {
            // The work is committed already, so the metrics are recorded even if the call fails below.
            record_metrics(context, &report);
        }
        let answer = TransitionsAnswer::new(report, stopwatch.elapsed(), cursor);
        // Neither a dry run nor a call for one org counts as a run.
        if !dry_run && org_id.is_none() {
            end_call(context, is_over).await?;
        }
        Ok(answer)
    }
}

fn record_metrics(context: &Context, report: &RunReport) {
    let (performed, failed) = report.totals();
    context.metric(Metric::TransitionsPerformed, performed);
    context.metric(Metric::ErrorsEncountered, failed);
    for (status, count) in report.entered().into_iter().filter(|(_, count)| *count > 0) {
        if let Some(metric) = metric_of(status) {
            context.metric(metric, count);
        }
    }
}

/// The metric of the transitions into a status.
const fn metric_of(entered: BundleStatus) -> Option<Metric> {
    match entered {
        BundleStatus::Active => Some(Metric::Activated),
        BundleStatus::Paused => Some(Metric::Paused),
        BundleStatus::Expired => Some(Metric::Expired),
        // Only an operator moves a bundle into these states, and that transition is recorded at once.
        BundleStatus::Draft | BundleStatus::Scheduled => None,
    }
}

/// Does what a call over all orgs does besides its bundles.
async fn end_call(context: &Context, is_over: bool) -> Result<(), Failure> {
    if let Some(marking) = watch::report(context).await? {
        rules::mark_orgs(context, marking).await?;
    }
    if is_over {
        context.metric(Metric::Runs, 1_i64);
    }
    Ok(())
}
