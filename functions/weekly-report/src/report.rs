//! The operation: its declaration and its request.

use std::time::Duration;

use shared::{
    clock::Stopwatch,
    domain::{ids::OrgId, rejection::RefusalCode},
    failure::Failure,
    host::{Context, Declared, JobOperation, Success, Tag},
    inbound::{cursor::Cursor, operation::Operation},
    jobs::sweep::Sweep,
    telemetry::metric::Metric,
};

use crate::{
    answer::{MessageOutcome, ReportAnswer, ReportSummary},
    run::Run,
    slack::{self, WeeklyMessage},
};

/// The time reserved for the Slack message and the answer.
const NOTIFICATION_RESERVE: Duration = Duration::from_secs(10);

/// Reports the last week.
pub struct ReportWeek;

/// A call of a report.
#[declare::request]
pub struct ReportRequest {
    /// The only org to report, without a message to Slack. Absent: all orgs that are not disposable.
    pub org_id: Option<OrgId>,
    /// Where an earlier call with the same other fields stopped. `latest`, without the other fields, continues the last
    /// report over all orgs. Absent: a new report begins.
    pub cursor: Option<Cursor>,
    /// Whether the call only answers. It sends no message, and records neither metrics nor its position.
    #[declare(default)]
    pub dry_run: bool,
}

impl Declared for ReportWeek {
    const OPERATION: Operation = Operation::new("report", "POST", "/").on_schedule();
    const TAG: Tag = Tag::Jobs;
    const SUMMARY: &'static str = "Report the last week";
    const DESCRIPTION: &'static str = "Counts the last complete week of each org, from Monday to Sunday in its time \
        zone, and posts the figures to a Slack channel. An org that cannot be counted does not affect the others. A call \
        that has no time left returns a `cursor`, with which the next call continues.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[Metric::Reports, Metric::ErrorsEncountered, Metric::MessagesFailed];

    type Request = ReportRequest;
    type Answer = ReportAnswer;
}

impl JobOperation for ReportWeek {
    async fn run(context: &Context, request: ReportRequest) -> Result<ReportAnswer, Failure> {
        let watch = Stopwatch::start();
        let ReportRequest { org_id, cursor, dry_run } = request;
        let only = org_id.as_ref();
        let sweep = Sweep::new(context, context.call.operation, NOTIFICATION_RESERVE);
        let run = Run::new(sweep.only(only).dry_run(dry_run.then(|| "dryRun".to_owned())));
        let swept = run.sweep.run(cursor, |visit| run.week(visit)).await?;

        let weeks = run.into_weeks();
        let cursor = swept.cursor().map(str::to_owned);
        let (counted, failed): (Vec<_>, Vec<_>) = swept.results.into_iter().partition(|result| result.figures);
        let errors: Vec<OrgId> = failed.into_iter().map(|result| result.org_id).collect();
        let (count, total_errors, goes_on) = (counted.len(), errors.len(), cursor.is_some());
        tracing::info!(orgs = count, errors = total_errors, goes_on, "a call of the report is over");
        let slack = if only.is_some() || dry_run {
            // The caller of a dry run or of a report on one org reads the answer.
            MessageOutcome::NotAsked
        } else {
            let message = WeeklyMessage { weeks: &weeks, count, errors: &errors, goes_on };
            slack::notify(&context.config, &message, context.deadline).await
        };
        if !dry_run {
            context.metric(Metric::Reports, count);
            context.metric(Metric::ErrorsEncountered, total_errors);
            context.metric(Metric::MessagesFailed, slack == MessageOutcome::Failed);
        }
        Ok(ReportAnswer {
            success: errors.is_empty(),
            job_duration: u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX),
            orgs: weeks,
            errors,
            summary: ReportSummary { total_orgs: count + total_errors, total_errors },
            slack,
            cursor,
        })
    }
}
