//! The statistical model of an org: the one kept of it while that is good, else fitted anew.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        churn::{
            fit::{Fitted, fit},
            model::{Family, Model},
            observation::{Observation, Sample},
        },
        org::Org,
    },
    failure::{Failure, settle_one},
    store::StoreError,
    sweep::Sweep,
};

/// Customers in a page.
const PAGE: usize = 1_000;

/// Whether a model may be fitted now, which takes a look at every customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fitting {
    /// Where the one that is kept is old, or none is.
    Weekly,
    /// Not now: the one that is kept does, however old.
    Never,
}

/// The model to score an org's customers by at `now`.
pub(crate) async fn of(sweep: &Sweep<'_>, org: &Org, fitting: Fitting, now: DateTime<Utc>) -> Result<Model, Failure> {
    let kept = match sweep.store.churn_model(&org.id).await {
        // One that can't be read is made anew.
        Err(StoreError::Broken(why)) => {
            tracing::error!(org = %org.id, why, "the churn model can't be read");
            None
        }
        kept => kept?,
    };
    let old = kept.map_or(Model::default_of(Family::IN_USE), |kept| kept.model);
    if fitting == Fitting::Never || kept.is_some_and(|kept| kept.is_good(now)) {
        return Ok(old);
    }
    let Some(sample) = sample(sweep, org, now).await? else {
        tracing::warn!(org = %org.id, "there is no time to fit a churn model; the one before does");
        return Ok(old);
    };
    let fit = fit(Family::IN_USE, sample.observations());
    let fitted = Fitted { model: fit.model, at: now, customers: fit.customers };
    let parameters = fitted.model.parameters.values();
    tracing::info!(org = %org.id, source = ?fitted.model.source, ?parameters, customers = fitted.customers, "churn model");
    let keep = || async { Ok(sweep.store.keep_churn_model(org, &fitted).await?) };
    if let Err(failure) = settle_one(sweep.deadline, keep).await {
        // It does for this call, and the next fits anew.
        tracing::warn!(org = %org.id, ?failure, "a churn model could not be kept");
    }
    Ok(fitted.model)
}

/// A sample of everybody who has ordered, those who have left long ago too; `None` where there is no time for it.
async fn sample(sweep: &Sweep<'_>, org: &Org, now: DateTime<Utc>) -> Result<Option<Sample>, Failure> {
    let mut sample = Sample::default();
    let mut after: Option<String> = None;
    loop {
        if sweep.is_late() {
            return Ok(None);
        }
        let page = sweep.store.customers_since(&org.id, None, after.as_deref(), PAGE).await?;
        for met in page.rows.into_iter().map(|row| row.value) {
            // Who can't be read is reported where they are scored.
            let orders = met.image.ok().and_then(|image| image.value.orders);
            // What was ordered after `now`, by a clock that was set back, is not known yet.
            if let Some(orders) = orders.filter(|orders| orders.first_at <= now) {
                sample.show(&met.id, Observation::of(&orders, org.profile.timezone, now));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(sample));
        }
    }
}
