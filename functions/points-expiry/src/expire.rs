//! The operation: its declaration and its request.

use std::time::Duration;

use shared::{
    domain::{ids::OrgId, rejection::RefusalCode},
    failure::Failure,
    host::{Context, Declared, JobOperation, Success, Tag},
    inbound::{cursor::Cursor, operation::Operation},
    jobs::sweep::Sweep,
    telemetry::metric::Metric,
};

use crate::{
    answer::{ExpiryAnswer, answer, record_metrics},
    run::Run,
};

/// The time reserved for one batch of customers and the answer.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

/// The name of a dry run.
const DRY_RUN: &str = "dryRun";

/// Records expired points.
pub struct ExpirePoints;

/// A call of a run.
#[declare::request]
pub struct ExpiryRequest {
    /// The only org. Absent: all orgs.
    pub org_id: Option<OrgId>,
    /// Where an earlier call with the same other fields stopped. `latest` continues the last run over all orgs. Absent:
    /// a new run begins.
    pub cursor: Option<Cursor>,
    /// Whether the call only reports what is due, and writes nothing.
    #[declare(default)]
    pub dry_run: bool,
}

impl Declared for ExpirePoints {
    const OPERATION: Operation = Operation::new("expire", "POST", "/").on_schedule();
    const TAG: Tag = Tag::Jobs;
    const SUMMARY: &'static str = "Record expired points";
    const DESCRIPTION: &'static str = "Records the points that expired and the holds that lapsed, of every customer of \
        each org whose loyalty programme is on. Emits notices of points that expire in 30 and 7 days, and closes the \
        days of the org that are over. A call that has no time left returns a `cursor`, with which the next call \
        continues.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] =
        &[Metric::PointsExpired, Metric::HoldsLapsed, Metric::ExpiryWarnings, Metric::ErrorsEncountered];

    type Request = ExpiryRequest;
    type Answer = ExpiryAnswer;
}

impl JobOperation for ExpirePoints {
    async fn run(context: &Context, request: ExpiryRequest) -> Result<ExpiryAnswer, Failure> {
        let ExpiryRequest { org_id, cursor, dry_run } = request;
        let sweep = Sweep::new(context, context.call.operation, ANSWER_RESERVE);
        let run = Run { sweep: sweep.only(org_id.as_ref()).dry_run(dry_run.then(|| DRY_RUN.to_owned())) };
        let swept = run.sweep.run(cursor, |visit| run.visit_org(visit)).await?;
        if !dry_run {
            record_metrics(context, &swept);
        }
        Ok(answer(swept))
    }
}
