//! Compares the predictions whose horizon has ended with their outcomes.

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    domain::{
        churn::{
            accuracy::ScoredOutcome,
            prediction::{Hindsight, PastPrediction},
        },
        ids::{CustomerId, OrgId},
    },
    jobs::sweep::Sweep,
    store::StoreError,
};

/// Predictions in a page. One request can read the customers of a whole page.
const PAGE_SIZE: usize = 100;

/// The period of the first look-back of an org: one week, because runs are weekly.
const FIRST_LOOK_BACK: TimeDelta = TimeDelta::days(7);

/// The longest period of a look-back, for an org without a recent run.
const LOOK_BACK_MAX: TimeDelta = TimeDelta::days(35);

/// The start of the look-back at `now`. The previous look-back, if any, ended at `before`.
pub(crate) fn since(before: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    before.map_or(now - FIRST_LOOK_BACK, |before| before.clamp(now - LOOK_BACK_MAX, now))
}

/// Evaluates the predictions of an org whose horizon ended after `since` and no later than `now`.
pub(crate) async fn look_back(
    sweep: &Sweep<'_>,
    org: &OrgId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<LookedBack, StoreError> {
    let mut outcomes = Vec::new();
    let dates = since.date_naive().iter_days().take_while(|date| *date <= now.date_naive());
    for date in dates {
        let mut after: Option<String> = None;
        loop {
            if sweep.is_near_deadline() {
                return Ok(LookedBack::OutOfTime);
            }
            let page = sweep.store.predictions_ending_on(org, date, after.as_deref(), PAGE_SIZE).await?;
            let ended = page.rows.into_iter().filter_map(|row| row.value);
            let ended = ended.filter(|(_, past)| past.ends_at() > since && past.ends_at() <= now);
            outcomes.extend(evaluate_outcomes(sweep, org, ended.collect(), now).await?);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(LookedBack::Complete(Hindsight::of(&outcomes)))
}

/// The result of a look-back.
pub(crate) enum LookedBack {
    /// All predictions are evaluated. The hindsight is `None` if there is no outcome.
    Complete(Option<Hindsight>),
    /// The call ran out of time. The next run repeats the look-back.
    OutOfTime,
}

async fn evaluate_outcomes(
    sweep: &Sweep<'_>,
    org: &OrgId,
    ended: Vec<(CustomerId, PastPrediction)>,
    now: DateTime<Utc>,
) -> Result<Vec<ScoredOutcome>, StoreError> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<CustomerId> = ended.iter().map(|(id, _)| id.clone()).collect();
    let customers = sweep.store.customers_by_id(org, &ids).await?;
    let outcome = |(id, past): (CustomerId, PastPrediction)| past.evaluate(customers.get(&id)?.orders.as_ref(), now);
    Ok(ended.into_iter().filter_map(outcome).collect())
}
