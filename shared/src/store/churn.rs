//! Predictions of churn: written with the customer, found by day and by risk level; and the model they are made by.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Page, Row, Store, StoreError, Transaction, Versioned,
    customers::read_customer,
    items::{self, ChurnModelForm, EventForm, PredictionForm, RiskForm},
    keys,
    pages::{page, skip_unreadable, start_after},
    transact::Change,
};
use crate::domain::{
    churn::{fit::ChurnModelRecord, prediction::PastPrediction, risk::RiskLevel, score::Prediction},
    customer::Customer,
    ids::{CustomerId, OrgId},
    org::Org,
};

impl Store {
    /// What the last run has kept of an org.
    pub async fn churn_model(&self, org: &OrgId) -> Result<Option<ChurnModelRecord>, StoreError> {
        let [item] = self.get([&keys::churn_model(org)]).await?;
        item.map(|item| items::read::<ChurnModelForm, _>("what is kept of churn", item)).transpose()
    }

    /// Keeps what a run has worked out of an org, if the org is still there.
    pub async fn save_churn_model(&self, org: &Org, kept: &ChurnModelRecord) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.check(&keys::org(&org.id), Change::default().require_present("pk"))?;
        transaction.upsert(&keys::churn_model(&org.id), None, &ChurnModelForm::from(kept), None)?;
        transaction.commit().await
    }

    /// A page of the predictions of an org's customers whose horizon ends on some day.
    pub async fn predictions(
        &self,
        org: &OrgId,
        ends_on: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(CustomerId, PastPrediction)>>, StoreError> {
        let list = keys::predictions_index_pk(org, ends_on);
        self.listed(&list, None, after, limit, |item| items::read::<PredictionForm, _>("a prediction", item)).await
    }

    /// A page of those at some risk whose prediction still looks ahead at `now`, by lifetime value when it was made,
    /// highest first. `None` stands for one whose prediction does not.
    pub async fn at_risk(
        &self,
        org: &OrgId,
        level: RiskLevel,
        now: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<CustomerId>>, StoreError> {
        let list = keys::risk_index_pk(org, level);
        let start = after.map(|position| {
            let (at, id) = position.split_once('#').ok_or(StoreError::InvalidPosition)?;
            let id = CustomerId::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
            let is_value = at.len() == 16 && at.bytes().all(|byte| byte.is_ascii_digit());
            let index_key = keys::IndexKey { index_pk: list.clone(), index_sk: at.to_owned() };
            if is_value { Ok(start_after(&keys::risk(org, &id), &index_key)) } else { Err(StoreError::InvalidPosition) }
        });
        let query = self.query_index(&list, limit).scan_index_forward(false);
        page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let at = item.get("at").and_then(|at| at.as_s().ok()).cloned().unwrap_or_default();
            let (id, expires): (CustomerId, i64) = items::read::<RiskForm, _>("a risk level", item)?;
            let position = format!("{at}#{id}");
            // What has expired may still be there.
            Ok(Row { value: Some(id).filter(|_| expires > now.timestamp()), position })
        })
        .await
    }

    /// Some customers as they are now; those that are not there, or can't be read, are left out.
    pub async fn customers_by_id(
        &self,
        org: &OrgId,
        customers: &[CustomerId],
    ) -> Result<Vec<Versioned<Customer>>, StoreError> {
        let keys: Vec<_> = customers.iter().map(|customer| keys::customer(org, customer)).collect();
        Ok(self.get_all(&keys).await?.into_iter().filter_map(|item| skip_unreadable(read_customer(item))).collect())
    }
}

impl Transaction<'_> {
    /// Writes what is predicted of a customer as it was read: with the customer, as a dated record, and in the list of the
    /// risk level.
    pub fn record_prediction(
        &mut self,
        before: &Versioned<Customer>,
        prediction: &Prediction,
        horizon_days: u32,
    ) -> Result<(), StoreError> {
        let customer = &before.value;
        let (org, id) = (&self.org.id, &customer.id);
        let past = PastPrediction { probability: prediction.probability, at: prediction.at, horizon_days };
        let key = keys::prediction(org, id, past.at.date_naive());
        let index_key = keys::prediction_index_key(org, id, past.ends_at().date_naive());
        let (risk, among) =
            (keys::risk(org, id), keys::risk_index_key(org, prediction.level(), customer.lifetime_value));
        let predicted = Customer { churn: Some(prediction.clone()), ..customer.clone() };
        self.replace_customer(&predicted, before, &[])?;
        let told = EventForm::of_prediction(org, id, customer.churn.as_ref(), prediction);
        let form = PredictionForm::new(id, prediction, horizon_days);
        self.upsert(&key, Some(&index_key), &form, told.as_ref())?;
        self.upsert(&risk, Some(&among), &RiskForm::new(id, prediction.at, horizon_days), None)
    }
}
