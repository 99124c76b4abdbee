//! Predictions of churn: written with the customer, found by day and by risk level; and the model they are made by.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Page, Row, Store, StoreError, Transaction, Versioned,
    customers::read_customer,
    items::{self, KeptForm, PredictionForm, RiskForm, ToldForm},
    keys,
    pages::{after_place, page, readable},
    transact::Change,
};
use crate::domain::{
    churn::{
        fit::Kept,
        prediction::{Past, Prediction},
        risk::RiskLevel,
    },
    customer::Customer,
    ids::{CustomerId, OrgId},
    org::Org,
};

impl Store {
    /// What the last run has kept of an org.
    pub async fn churn(&self, org: &OrgId) -> Result<Option<Kept>, StoreError> {
        let [item] = self.get([&keys::churn(org)]).await?;
        item.map(|item| items::read::<KeptForm, _>("what is kept of churn", item)).transpose()
    }

    /// Keeps what a run has worked out of an org, if the org is still there.
    pub async fn keep_churn(&self, org: &Org, kept: &Kept) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.check(&keys::org(&org.id), Change::default().require_present("pk"))?;
        transaction.upsert(&keys::churn(&org.id), None, &KeptForm::from(kept), None)?;
        transaction.commit().await
    }

    /// A page of the predictions of an org's customers whose horizon ends on some day.
    pub async fn predictions(
        &self,
        org: &OrgId,
        ends_on: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(CustomerId, Past)>>, StoreError> {
        let list = keys::predictions_list(org, ends_on);
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
        let list = keys::risk_list(org, level);
        let start = after.map(|position| {
            let (at, id) = position.split_once('#').ok_or(StoreError::Position)?;
            let id = CustomerId::try_from(id.to_owned()).map_err(|_| StoreError::Position)?;
            let is_value = at.len() == 16 && at.bytes().all(|byte| byte.is_ascii_digit());
            let place = keys::Place { list: list.clone(), at: at.to_owned() };
            if is_value { Ok(after_place(&keys::risk(org, &id), &place)) } else { Err(StoreError::Position) }
        });
        let query = self.query_list(&list, limit).scan_index_forward(false);
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
    pub async fn customers_now(
        &self,
        org: &OrgId,
        customers: &[CustomerId],
    ) -> Result<Vec<Versioned<Customer>>, StoreError> {
        let keys: Vec<_> = customers.iter().map(|customer| keys::customer(org, customer)).collect();
        Ok(self.get_all(&keys).await?.into_iter().filter_map(|item| readable(read_customer(item))).collect())
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
        let past = Past { probability: prediction.probability, at: prediction.at, horizon_days };
        let key = keys::prediction(org, id, past.at.date_naive());
        let place = keys::prediction_place(org, id, past.ends_at().date_naive());
        let (risk, among) = (keys::risk(org, id), keys::risk_place(org, prediction.level(), customer.lifetime_value));
        let predicted = Customer { churn: Some(prediction.clone()), ..customer.clone() };
        self.replace_customer(&predicted, before, &[])?;
        let told = ToldForm::of_prediction(org, id, customer.churn.as_ref(), prediction);
        let form = PredictionForm::new(id, prediction, horizon_days);
        self.upsert(&key, Some(&place), &form, told.as_ref())?;
        self.upsert(&risk, Some(&among), &RiskForm::new(id, prediction.at, horizon_days), None)
    }
}
