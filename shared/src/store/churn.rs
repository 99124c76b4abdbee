//! Predictions of churn: written with the customer, found by day and by risk level; and the model they are made by.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Page, Row, Store, StoreError, Transaction, Versioned,
    customers::read_customer,
    items::{self, ModelForm, PredictionForm, RiskForm},
    keys,
    pages::{after_place, page},
    transact::Condition,
};
use crate::domain::{
    churn::{
        fit::Fitted,
        prediction::{Past, Prediction},
        risk::RiskLevel,
    },
    customer::Customer,
    ids::{CustomerId, OrgId},
    org::Org,
};

impl Store {
    /// The model that was last fitted to an org.
    pub async fn churn_model(&self, org: &OrgId) -> Result<Option<Fitted>, StoreError> {
        let [item] = self.get([&keys::churn_model(org)]).await?;
        item.map(|item| items::read::<ModelForm, _>("a churn model", item)).transpose()
    }

    /// Keeps the model fitted to an org.
    pub async fn keep_churn_model(&self, org: &Org, fitted: &Fitted) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.put(&keys::churn_model(&org.id), None, &ModelForm::from(fitted), Condition::Any)?;
        transaction.commit().await
    }

    /// A page of what was predicted of an org's customers on some day.
    pub async fn predictions(
        &self,
        org: &OrgId,
        date: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(CustomerId, Past)>, StoreError> {
        let start = after.map(|id| {
            let id = CustomerId::try_from(id.to_owned()).map_err(|_| StoreError::Position)?;
            let key = keys::prediction(org, &id, date);
            Ok::<_, StoreError>(after_place(&key, &keys::prediction_place(org, &id, date)))
        });
        let query = self.query_list(&keys::predictions_list(org, date), limit);
        page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let value: (CustomerId, Past) = items::read::<PredictionForm, _>("a prediction", item)?;
            Ok(Row { position: value.0.to_string(), value })
        })
        .await
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

    /// Some customers as they are now; those that are not there are left out.
    pub async fn customers_now(
        &self,
        org: &OrgId,
        customers: &[CustomerId],
    ) -> Result<Vec<Versioned<Customer>>, StoreError> {
        let keys: Vec<_> = customers.iter().map(|customer| keys::customer(org, customer)).collect();
        self.get_all(&keys).await?.into_iter().map(read_customer).collect()
    }
}

impl Transaction<'_> {
    /// Writes what is predicted of a customer that must still be at `version`: with the customer, as a dated record, and
    /// in the list of the risk level.
    pub fn record_prediction(
        &mut self,
        customer: &Customer,
        version: u64,
        prediction: &Prediction,
        horizon_days: u32,
    ) -> Result<(), StoreError> {
        let (org, id, date) = (&self.org.id, &customer.id, prediction.at.date_naive());
        let (key, place) = (keys::prediction(org, id, date), keys::prediction_place(org, id, date));
        let (risk, among) = (keys::risk(org, id), keys::risk_place(org, prediction.level(), customer.lifetime_value));
        let predicted = Customer { churn: Some(prediction.clone()), ..customer.clone() };
        self.replace_customer(&predicted, version, &[])?;
        self.put(&key, Some(&place), &PredictionForm::new(id, prediction, horizon_days), Condition::Any)?;
        self.put(&risk, Some(&among), &RiskForm::new(id, prediction.at, horizon_days), Condition::Any)
    }
}
