//! Prepares the scoring of an org: looks back at past predictions and provides the statistical model.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        churn::{
            fit::{ChurnModelRecord, fit},
            model::{Model, ModelFamily},
            observation::{CustomerSample, Observation},
            prediction::Hindsight,
        },
        org::Org,
    },
    error::chain,
    failure::{Failure, retry_conflicts_within},
    jobs::sweep::Sweep,
    store::StoreError,
};

use crate::look_back::{self, LookedBack, look_back};

/// Customers in a page.
const PAGE_SIZE: usize = 1_000;

/// The stored model of an org, regardless of its age, or the default model.
///
/// A prediction for a single customer and a later call of a run use this model.
pub(crate) async fn stored_model(sweep: &Sweep<'_>, org: &Org) -> Result<Model, Failure> {
    Ok(read(sweep, org).await?.map_or(Model::default_of(ModelFamily::IN_USE), |record| record.model))
}

/// Looks back at past predictions of an org, fits a new model if the stored one is outdated, and saves both results.
pub(crate) async fn begin(
    sweep: &Sweep<'_>,
    org: &Org,
    now: DateTime<Utc>,
) -> Result<(Model, Option<Hindsight>), Failure> {
    let stored = read(sweep, org).await?;
    let since = look_back::since(stored.map(|record| record.looked_back_to), now);
    let (looked_back_to, hindsight) = match look_back(sweep, &org.id, since, now).await? {
        LookedBack::Complete(hindsight) => (now, hindsight),
        LookedBack::OutOfTime => {
            tracing::warn!(org = %org.id, "no time for the whole look-back, so the next run repeats it");
            (since, None)
        }
    };
    let current = match stored.filter(|record| record.is_current(now)) {
        Some(record) => Some(record),
        None => fit_to_sample(sweep, org, now).await?,
    };
    if current.is_none() {
        tracing::warn!(org = %org.id, "no time to fit a churn model, so the previous model is used");
    }
    let Some(record) = current.or(stored) else {
        // The hindsight cannot be saved without a model. The next run repeats the look-back and reports it.
        return Ok((Model::default_of(ModelFamily::IN_USE), None));
    };
    if sweep.dry_run.is_some() {
        return Ok((record.model, hindsight));
    }
    let updated = ChurnModelRecord { looked_back_to, ..record };
    let save = || async { Ok(sweep.store.save_churn_model(org, &updated).await?) };
    match retry_conflicts_within(sweep.deadline, save).await {
        Ok(()) => Ok((record.model, hindsight)),
        Err(failure) => {
            // The call still uses the model. The next run repeats the look-back and reports the hindsight.
            tracing::warn!(org = %org.id, error = chain(&failure), "the churn model was not saved");
            Ok((record.model, None))
        }
    }
}

async fn read(sweep: &Sweep<'_>, org: &Org) -> Result<Option<ChurnModelRecord>, Failure> {
    match sweep.store.churn_model(&org.id).await {
        // The run fits a new model in place of an unreadable record.
        Err(StoreError::Broken(error)) => {
            tracing::error!(org = %org.id, error = chain(&error), "the churn model cannot be read");
            Ok(None)
        }
        record => Ok(record?),
    }
}

/// Fits a model to a sample of all customers with orders, including inactive ones.
///
/// Returns `None` if the call runs out of time.
async fn fit_to_sample(sweep: &Sweep<'_>, org: &Org, now: DateTime<Utc>) -> Result<Option<ChurnModelRecord>, Failure> {
    let mut sample = CustomerSample::default();
    let mut after: Option<String> = None;
    loop {
        if sweep.is_near_deadline() {
            return Ok(None);
        }
        let page = sweep.store.customers_since(&org.id, None, after.as_deref(), PAGE_SIZE).await?;
        for customer in page.rows.into_iter().map(|row| row.value) {
            // The scoring of the customers reports the unreadable ones.
            let orders = customer.image.ok().and_then(|image| image.value.orders);
            // After the clock was set back, an order may lie after `now`.
            if let Some(orders) = orders.filter(|orders| orders.first_at <= now) {
                sample.insert(&customer.id, Observation::of(&orders, org.profile.timezone, now));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let fit = fit(ModelFamily::IN_USE, sample.observations());
    let (source, parameters) = (fit.model.source, fit.model.parameters.values());
    tracing::info!(org = %org.id, ?source, ?parameters, customers = fit.customers, "churn model");
    Ok(Some(ChurnModelRecord { model: fit.model, fitted_at: now, customers: fit.customers, looked_back_to: now }))
}
