//! What a run begins an org with: looking back at what was predicted, and the statistical model to predict by.

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
const PAGE: usize = 1_000;

/// The model that is kept of an org, however old, or else the default: for a single customer, and for a run that goes on.
pub(crate) async fn stored_model(sweep: &Sweep<'_>, org: &Org) -> Result<Model, Failure> {
    Ok(read(sweep, org).await?.map_or(Model::default_of(ModelFamily::IN_USE), |stored_model| stored_model.model))
}

/// Looks back at what was predicted of an org, fits a model if the one that is kept is not good any more, and keeps
/// both.
pub(crate) async fn begin(
    sweep: &Sweep<'_>,
    org: &Org,
    now: DateTime<Utc>,
) -> Result<(Model, Option<Hindsight>), Failure> {
    let before = read(sweep, org).await?;
    let since = look_back::since(before.map(|stored_model| stored_model.looked_back_to), now);
    let (looked_back_to, hindsight) = match look_back(sweep, &org.id, since, now).await? {
        LookedBack::ToTheEnd(hindsight) => (now, hindsight),
        LookedBack::NotToTheEnd => {
            tracing::warn!(org = %org.id, "there is no time to look back at all predictions; the next run will");
            (since, None)
        }
    };
    let fitted = match before.filter(|stored_model| stored_model.is_current(now)) {
        Some(good) => Some(good),
        None => anew(sweep, org, now).await?,
    };
    if fitted.is_none() {
        tracing::warn!(org = %org.id, "there is no time to fit a churn model; the one before does");
    }
    let Some(known) = fitted.or(before) else {
        // There is nothing yet to keep it with: the next run tells.
        return Ok((Model::default_of(ModelFamily::IN_USE), None));
    };
    if sweep.dry_run.is_some() {
        return Ok((known.model, hindsight));
    }
    let keeping = ChurnModelRecord { looked_back_to, ..known };
    let keep = || async { Ok(sweep.store.save_churn_model(org, &keeping).await?) };
    match retry_conflicts_within(sweep.deadline, keep).await {
        Ok(()) => Ok((known.model, hindsight)),
        Err(failure) => {
            // The model does for this call. What is not on record as looked back at is told by the next run.
            tracing::warn!(org = %org.id, error = chain(&failure), "what is known of churn could not be kept");
            Ok((known.model, None))
        }
    }
}

async fn read(sweep: &Sweep<'_>, org: &Org) -> Result<Option<ChurnModelRecord>, Failure> {
    match sweep.store.churn_model(&org.id).await {
        // What can't be read is made anew.
        Err(StoreError::Broken(error)) => {
            tracing::error!(org = %org.id, error = chain(&error), "what is kept of churn can't be read");
            Ok(None)
        }
        stored_model => Ok(stored_model?),
    }
}

/// A model fitted to a sample of everybody who has ordered, those who have left long ago too; `None` where there is no
/// time for it.
async fn anew(sweep: &Sweep<'_>, org: &Org, now: DateTime<Utc>) -> Result<Option<ChurnModelRecord>, Failure> {
    let mut sample = CustomerSample::default();
    let mut after: Option<String> = None;
    loop {
        if sweep.is_near_deadline() {
            return Ok(None);
        }
        let page = sweep.store.customers_since(&org.id, None, after.as_deref(), PAGE).await?;
        for met in page.rows.into_iter().map(|row| row.value) {
            // Who can't be read is reported where they are scored.
            let orders = met.image.ok().and_then(|image| image.value.orders);
            // What was ordered after `now`, by a clock that was set back, is not known yet.
            if let Some(orders) = orders.filter(|orders| orders.first_at <= now) {
                sample.insert(&met.id, Observation::of(&orders, org.profile.timezone, now));
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
