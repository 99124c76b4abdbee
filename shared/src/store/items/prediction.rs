//! The stored forms of a churn prediction: with the customer, as a record of its own, and in the list of its risk
//! level.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::values::if_known;
use crate::domain::{
    churn::{
        prediction::PastPrediction,
        risk::Probability,
        score::{ChurnSource, Prediction},
    },
    ids::CustomerId,
    text::SingleLine,
    time,
};

/// The latest prediction, stored with the customer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerPredictionForm {
    /// Hundredths of a percent.
    probability: u16,
    reasoning: SingleLine,
    source: ChurnSource,
    #[serde(serialize_with = "time::serialize")]
    predicted_at: DateTime<Utc>,
}

impl From<&Prediction> for CustomerPredictionForm {
    fn from(prediction: &Prediction) -> Self {
        let Prediction { probability, reasoning, source, at } = prediction.clone();
        Self { probability: probability.hundredths(), reasoning, source, predicted_at: at }
    }
}

impl TryFrom<CustomerPredictionForm> for Prediction {
    type Error = &'static str;

    fn try_from(form: CustomerPredictionForm) -> Result<Self, Self::Error> {
        let CustomerPredictionForm { probability, reasoning, source, predicted_at } = form;
        Ok(Self { probability: self::probability(probability)?, reasoning, source, at: predicted_at })
    }
}

fn probability(hundredths: u16) -> Result<Probability, &'static str> {
    Probability::from_hundredths(hundredths).ok_or("a probability above 1")
}

/// One prediction, kept until its outcome has been evaluated.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct PredictionForm {
    customer_id: CustomerId,
    probability: u16,
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    source: Option<ChurnSource>,
    horizon_days: u32,
    #[serde(serialize_with = "time::serialize")]
    predicted_at: DateTime<Utc>,
    /// The time of the expiry, in seconds since 1970.
    expires: i64,
}

impl PredictionForm {
    /// The form of a prediction that expires after two horizons.
    pub(in crate::store) fn new(customer: &CustomerId, prediction: &Prediction, horizon_days: u32) -> Self {
        Self {
            customer_id: customer.clone(),
            probability: prediction.probability.hundredths(),
            source: Some(prediction.source),
            horizon_days,
            predicted_at: prediction.at,
            expires: expires(prediction.at, 2 * i64::from(horizon_days)),
        }
    }
}

impl TryFrom<PredictionForm> for (CustomerId, PastPrediction) {
    type Error = &'static str;

    fn try_from(form: PredictionForm) -> Result<Self, Self::Error> {
        let PredictionForm { customer_id, horizon_days, predicted_at, .. } = form;
        let past = PastPrediction { probability: probability(form.probability)?, at: predicted_at, horizon_days };
        Ok((customer_id, past))
    }
}

/// A customer in the list of a risk level. The item expires at the end of the prediction's horizon.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct RiskLevelForm {
    customer_id: CustomerId,
    /// The time of the expiry, in seconds since 1970.
    expires: i64,
}

impl RiskLevelForm {
    pub(in crate::store) fn new(customer: &CustomerId, at: DateTime<Utc>, horizon_days: u32) -> Self {
        Self { customer_id: customer.clone(), expires: expires(at, i64::from(horizon_days)) }
    }
}

/// The customer, and the time of the expiry in seconds since 1970.
impl TryFrom<RiskLevelForm> for (CustomerId, i64) {
    type Error = &'static str;

    fn try_from(RiskLevelForm { customer_id, expires }: RiskLevelForm) -> Result<Self, Self::Error> {
        Ok((customer_id, expires))
    }
}

fn expires(at: DateTime<Utc>, days: i64) -> i64 {
    (at + TimeDelta::days(days)).timestamp()
}
