//! The operation: its declaration and its request.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        ids::OrgId,
        loyalty::LoyaltySettings,
        rejection::{FieldError, RefusalCode},
    },
    failure::Failure,
    host::{Context, Declared, JobOperation, Success, Tag},
    inbound::{
        CallInfo, Fields,
        cursor::{self, Cursor},
        fields::single_field,
        loyalty::SettingsFields,
        operation::Operation,
    },
    jobs::sweep::Sweep,
    telemetry::metric::Metric,
    views::LoyaltyView,
};

use crate::{
    answer::{RecalculationAnswer, answer, record_metrics},
    run::Run,
};

/// The time reserved for one batch of changes and the answer.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

/// Recalculates tiers.
pub struct RecalculateTiers;

/// A call of a recalculation.
#[declare::request]
pub struct RecalculationRequest {
    /// The only org to recalculate. Absent: all orgs.
    pub org_id: Option<OrgId>,
    /// Where an earlier call with the same other fields stopped. `latest`, without the other fields, continues the last
    /// run over all orgs. Absent: a new run begins.
    pub cursor: Option<Cursor>,
    /// Whether the call only reports what would change, and writes nothing.
    #[declare(default)]
    pub dry_run: bool,
    /// The settings to evaluate by. Needs an `orgId` and `dryRun: true`. Absent: the stored settings.
    pub loyalty: Option<SettingsFields>,
}

impl Declared for RecalculateTiers {
    const OPERATION: Operation = Operation::new("recalculate", "POST", "/").on_schedule();
    const TAG: Tag = Tag::Jobs;
    const SUMMARY: &'static str = "Recalculate tiers";
    const DESCRIPTION: &'static str = "Evaluates the tier of every customer of each org whose loyalty programme is on, \
        and writes the changes. A call that has no time left returns a `cursor`, with which the next call continues. A \
        dry run of one org can evaluate by other settings.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[
        Metric::CustomersJudged,
        Metric::TiersChanged,
        Metric::Promotions,
        Metric::Demotions,
        Metric::ErrorsEncountered,
        Metric::HoldingTier1,
        Metric::HoldingTier2,
        Metric::HoldingTier3,
        Metric::HoldingTier4,
        Metric::HoldingTier5,
        Metric::HoldingTier6,
        Metric::HoldingTier7,
        Metric::HoldingTier8,
        Metric::HoldingTier9,
        Metric::HoldingTier10,
        Metric::HoldingTier11,
        Metric::HoldingTier12,
        Metric::HoldingTier13,
        Metric::HoldingTier14,
        Metric::HoldingTier15,
        Metric::HoldingTier16,
        Metric::HoldingTier17,
        Metric::HoldingTier18,
        Metric::HoldingTier19,
        Metric::HoldingTier20,
    ];

    type Request = RecalculationRequest;
    type Answer = RecalculationAnswer;

    /// Rejects trial settings outside a dry run of one org.
    fn check(fields: &Fields, _: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        let is_dry = single_field::<bool>(fields, "dryRun") == Some(true) && fields.is_set("orgId");
        let fault = fields.is_set("loyalty") && !is_dry;
        fault.then(|| FieldError::new("loyalty", "goes with an orgId and dryRun: true")).into_iter().collect()
    }
}

impl JobOperation for RecalculateTiers {
    async fn run(context: &Context, request: RecalculationRequest) -> Result<RecalculationAnswer, Failure> {
        let RecalculationRequest { org_id, cursor, dry_run, loyalty } = request;
        let trial_settings = loyalty.map(LoyaltySettings::from);
        let dry_run_name = dry_run.then(|| dry_run_name(trial_settings.as_ref()));
        let sweep = Sweep::new(context, context.call.operation, ANSWER_RESERVE);
        let run = Run { sweep: sweep.only(org_id.as_ref()).dry_run(dry_run_name), trial_settings };
        let swept = run.sweep.run(cursor, |visit| run.visit_org(visit)).await?;
        if !dry_run {
            record_metrics(context, &swept);
        }
        Ok(answer(swept))
    }
}

/// The name of the dry runs with these settings. A cursor of one dry run is rejected by a dry run with other settings.
///
/// The digest covers the settings as JSON, because two versions of the function must agree on it during a rollout.
fn dry_run_name(trial_settings: Option<&LoyaltySettings>) -> String {
    let settings = trial_settings.map(LoyaltyView::from);
    format!("dryRun {}", cursor::scope_digest(&serde_json::json!(settings).to_string()))
}
