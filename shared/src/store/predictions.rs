//! Churn predictions, and the lists of customers by risk level.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    error::StoreError,
    items::{
        form,
        prediction::{PredictionForm, RiskLevelForm},
    },
    keys::{self, IndexKey},
    pages::{fetch_page, index_position, parse_index_position, start_after},
    rows::{Page, Row},
    table::{Store, Versioned},
    transact::Transaction,
};
use crate::{
    domain::{
        churn::{prediction::PastPrediction, risk::RiskLevel, score::Prediction},
        customer::Customer,
        ids::{CustomerId, OrgId},
        lots::due::apply_due,
    },
    outbound::ChangeEvent,
};

impl Store {
    /// A page of an org's predictions whose horizon ends on a day in UTC. An unreadable prediction is `None`.
    pub async fn predictions_ending_on(
        &self,
        org: &OrgId,
        day: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(CustomerId, PastPrediction)>>, StoreError> {
        let read = |item| form::read::<PredictionForm, _>("a prediction", item);
        self.index_page(&keys::predictions_index_pk(org, day), None, after, limit, read).await
    }

    /// A page of the customers at a risk level, by their lifetime value at the prediction, highest first. A customer
    /// whose prediction expired before `now` is `None`.
    pub async fn customers_at_risk(
        &self,
        org: &OrgId,
        level: RiskLevel,
        now: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<CustomerId>>, StoreError> {
        let index_pk = keys::risk_level_index_pk(org, level);
        let start = after.map(|position| {
            let (value, id) = parse_index_position::<CustomerId>(position)?;
            let is_value = value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_digit());
            let index_key = IndexKey { index_pk: index_pk.clone(), index_sk: value.to_owned() };
            let start = start_after(&keys::risk_level(org, &id), &index_key);
            is_value.then_some(start).ok_or(StoreError::InvalidPosition)
        });
        let query = self.query_index(&index_pk, limit).scan_index_forward(false);
        fetch_page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let (id, expires): (CustomerId, i64) = form::read::<RiskLevelForm, _>("a risk level", item.clone())?;
            let position = index_position(&item, &id);
            // `DynamoDB` deletes an item some time after its expiry.
            Ok(Row { value: Some(id).filter(|_| expires > now.timestamp()), position })
        })
        .await
    }
}

impl Transaction<'_> {
    /// Records a prediction for the customer that was read as `before`: with the customer, as a dated record, and in
    /// the list of its risk level.
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
        let risk_key = keys::risk_level(org, id);
        let risk_index_key = keys::risk_level_index_key(org, prediction.level(), customer.lifetime_value);
        let mut predicted = Customer { churn: Some(prediction.clone()), ..customer.clone() };
        let entries = apply_due(&mut predicted, past.at);
        self.replace_customer(&predicted, before, &entries)?;
        let event = ChangeEvent::of_prediction(id, customer.churn.as_ref(), prediction);
        let form = PredictionForm::new(id, prediction, horizon_days);
        self.upsert(&key, Some(&index_key), &form, event.as_ref())?;
        let form = RiskLevelForm::new(id, prediction.at, horizon_days);
        self.upsert(&risk_key, Some(&risk_index_key), &form, None)
    }
}
