//! Was it right? What was predicted one horizon ago, beside what has happened since.

use std::collections::HashMap;

use chrono::{DateTime, Days, TimeDelta, Utc};
use shared::{
    domain::{
        churn::{
            measure::Judged,
            prediction::{Hindsight, Past},
        },
        customer::Customer,
        ids::{CustomerId, OrgId},
    },
    store::StoreError,
    sweep::Sweep,
};

/// Predictions in a page: as many customers as one request reads.
const PAGE: usize = 100;

/// A run looks back at what ended since the last one: it is weekly.
const PERIOD: TimeDelta = TimeDelta::days(7);

/// How the predictions of an org came out whose horizon ended in the week before `now`. Where the time does not do for
/// all, it tells of those it did for.
pub(crate) async fn look_back(
    sweep: &Sweep<'_>,
    org: &OrgId,
    horizon_days: u32,
    now: DateTime<Utc>,
) -> Result<Option<Hindsight>, StoreError> {
    let newest = (now - TimeDelta::days(i64::from(horizon_days))).date_naive();
    // A week of instants can touch eight dates.
    let dates = (0..8).filter_map(|days| newest.checked_sub_days(Days::new(days)));
    let mut judged = Vec::new();
    for date in dates {
        let mut after: Option<String> = None;
        loop {
            if sweep.is_late() {
                return Ok(Hindsight::of(&judged));
            }
            let page = sweep.store.predictions(org, date, after.as_deref(), PAGE).await?;
            let ended = page.rows.into_iter().map(|row| row.value).filter(|(_, past)| {
                let since = now - past.ends_at();
                (TimeDelta::zero()..PERIOD).contains(&since)
            });
            judged.extend(judge(sweep, org, ended.collect(), now).await?);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(Hindsight::of(&judged))
}

async fn judge(
    sweep: &Sweep<'_>,
    org: &OrgId,
    ended: Vec<(CustomerId, Past)>,
    now: DateTime<Utc>,
) -> Result<Vec<Judged>, StoreError> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<CustomerId> = ended.iter().map(|(id, _)| id.clone()).collect();
    let customers = sweep.store.customers_now(org, &ids).await?.into_iter();
    let customers: HashMap<CustomerId, Customer> =
        customers.map(|customer| (customer.value.id.clone(), customer.value)).collect();
    let outcome = |(id, past): (CustomerId, Past)| past.judged(customers.get(&id)?.orders.as_ref(), now);
    Ok(ended.into_iter().filter_map(outcome).collect())
}
