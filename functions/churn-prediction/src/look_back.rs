//! Was it right? The predictions whose horizon is over, beside what has happened since.

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

/// Predictions in a page: as many customers as one request reads.
const PAGE: usize = 100;

/// How far it is looked back at first: a run is weekly.
const FIRST_LOOK_BACK: TimeDelta = TimeDelta::days(7);

/// How far it is looked back at most, where no run was for long.
const LOOK_BACK_MAX: TimeDelta = TimeDelta::days(35);

/// From where it is looked back at `now`, if it was up to `before`.
pub(crate) fn since(before: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    before.map_or(now - FIRST_LOOK_BACK, |before| before.clamp(now - LOOK_BACK_MAX, now))
}

/// How the predictions of an org came out whose horizon has ended after `since`, up to `now`.
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
                return Ok(LookedBack::NotToTheEnd);
            }
            let page = sweep.store.predictions_ending_on(org, date, after.as_deref(), PAGE).await?;
            let ended = page.rows.into_iter().filter_map(|row| row.value);
            let ended = ended.filter(|(_, past)| past.ends_at() > since && past.ends_at() <= now);
            outcomes.extend(evaluate_outcomes(sweep, org, ended.collect(), now).await?);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(LookedBack::ToTheEnd(Hindsight::of(&outcomes)))
}

/// How far it was looked back.
pub(crate) enum LookedBack {
    /// As far as was meant, with what there was to see.
    ToTheEnd(Option<Hindsight>),
    /// There was no time for all: the next run looks again.
    NotToTheEnd,
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
