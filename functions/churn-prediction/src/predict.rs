//! The operation: its declaration and its request.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        ids::{CustomerId, OrgId},
        rejection::{FieldError, RefusalCode},
    },
    error::chain,
    failure::Failure,
    host::{Context, Declared, JobOperation, Success, Tag},
    inbound::{CallInfo, Fields, cursor::Cursor, operation::Operation},
    jobs::sweep::Sweep,
    secrets,
    telemetry::metric::Metric,
};

use crate::{
    answer::{PredictionAnswer, WithoutClaude, answer, record_metrics},
    claude::Claude,
    run::{ANSWER_RESERVE, Run},
};

/// Predicts churn.
pub struct PredictChurn;

/// A call of a run.
#[declare::request]
pub struct PredictionRequest {
    /// The only org whose customers are scored. Absent: all orgs.
    pub org_id: Option<OrgId>,
    /// The only customer of the org to score, even if already scored. Needs an `orgId`. Absent: all active customers.
    pub customer_id: Option<CustomerId>,
    /// Where an earlier call with the same other fields stopped. `latest`, without the other fields, continues the last
    /// run over all orgs. Does not go with a `customerId`. Absent: a new run begins.
    pub cursor: Option<Cursor>,
    /// Whether the call only reports the outcome. It writes nothing and does not ask Claude.
    #[declare(default)]
    pub dry_run: bool,
}

impl Declared for PredictChurn {
    const OPERATION: Operation = Operation::new("predict", "POST", "/").on_schedule();
    const TAG: Tag = Tag::Jobs;
    const SUMMARY: &'static str = "Predict churn";
    const DESCRIPTION: &'static str = "Scores the risk that each active customer of each org whose loyalty programme is \
        on leaves, by Claude or by a statistical model. A run first reports how past predictions turned out. A call \
        that has no time left returns a `cursor`, with which the next call continues.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[
        Metric::Predictions,
        Metric::LowRisk,
        Metric::MediumRisk,
        Metric::HighRisk,
        Metric::CriticalRisk,
        Metric::NewlyCritical,
        Metric::ByClaude,
        Metric::Clipped,
        Metric::ByStatistics,
        Metric::ErrorsEncountered,
        Metric::WithoutClaude,
        Metric::Brier,
        Metric::Auc,
    ];

    type Request = PredictionRequest;
    type Answer = PredictionAnswer;

    /// Rejects a `customerId` without an `orgId`, or with a cursor.
    fn check(fields: &Fields, _: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        if !fields.is_set("customerId") {
            return Vec::new();
        }
        let without_org = (!fields.is_set("orgId")).then(|| FieldError::new("customerId", "goes with an orgId"));
        let with_cursor = fields.is_set("cursor").then(|| FieldError::new("cursor", "does not go with a customerId"));
        without_org.into_iter().chain(with_cursor).collect()
    }
}

impl JobOperation for PredictChurn {
    async fn run(context: &Context, request: PredictionRequest) -> Result<PredictionAnswer, Failure> {
        let PredictionRequest { org_id, customer_id, cursor, dry_run } = request;
        let (claude, not_used) = match claude(context, dry_run).await {
            Ok(claude) => (Some(claude), None),
            Err(reason) => (None, Some(reason)),
        };
        let sweep = Sweep::new(context, context.call.operation, ANSWER_RESERVE);
        let sweep = sweep.only(org_id.as_ref()).dry_run(dry_run.then(|| "dryRun".to_owned()));
        let run = Run { sweep, claude, only: customer_id };
        let swept = run.sweep.run(cursor, |visit| run.visit_org(visit)).await?;
        if !dry_run {
            // A key that cannot be read counts as configured. A prediction for a single customer does not count towards
            // the metric.
            let expects_claude = not_used != Some(WithoutClaude::NotConfigured) && run.only.is_none();
            record_metrics(context, &swept, expects_claude);
        }
        let switched_off = || run.claude.as_ref()?.is_off().map(WithoutClaude::SwitchedOff);
        Ok(answer(swept, not_used.or_else(switched_off)))
    }
}

/// Claude for this call, or why the call scores without Claude.
async fn claude(context: &Context, dry_run: bool) -> Result<Claude, WithoutClaude> {
    let config = &context.config;
    match secrets::resolve(config.claude.key.as_ref(), config.secrets_endpoint.as_deref()).await {
        // Requests cost money, and a dry run discards the verdicts.
        _ if dry_run => Err(WithoutClaude::DryRun),
        Ok(Some(key)) => Ok(Claude::new(&config.claude, key, context.sleeper.clone())),
        Ok(None) => Err(WithoutClaude::NotConfigured),
        Err(failure) => {
            tracing::error!(error = chain(&failure), "the API key cannot be read, so the call scores without Claude");
            Err(WithoutClaude::KeyUnreadable)
        }
    }
}
