//! What is predicted of customers, and the model it is predicted by.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::if_known;
use crate::domain::{
    churn::{
        fit::ChurnModelRecord,
        model::{Model, ModelFamily, ParameterSource, Parameters},
        prediction::PastPrediction,
        risk::Probability,
        score::{ChurnSource, Prediction},
    },
    ids::CustomerId,
    text::SingleLine,
    time,
};

/// How likely somebody is to leave, kept with the customer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChurnForm {
    /// In hundredths of a percent.
    probability: u16,
    reasoning: SingleLine,
    source: ChurnSource,
    #[serde(serialize_with = "time::serialize")]
    predicted_at: DateTime<Utc>,
}

impl From<&Prediction> for ChurnForm {
    fn from(prediction: &Prediction) -> Self {
        let Prediction { probability, reasoning, source, at } = prediction.clone();
        Self { probability: probability.hundredths(), reasoning, source, predicted_at: at }
    }
}

impl TryFrom<ChurnForm> for Prediction {
    type Error = &'static str;

    fn try_from(form: ChurnForm) -> Result<Self, Self::Error> {
        let ChurnForm { probability, reasoning, source, predicted_at } = form;
        Ok(Self { probability: self::probability(probability)?, reasoning, source, at: predicted_at })
    }
}

fn probability(hundredths: u16) -> Result<Probability, &'static str> {
    Probability::from_hundredths(hundredths).ok_or("a probability above 1")
}

/// One prediction, until what came of it is long known.
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
    /// Seconds since 1970.
    expires: i64,
}

impl PredictionForm {
    /// Kept for two horizons.
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

/// Whom the list of a risk level has, as long as the prediction looks ahead.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct RiskForm {
    customer_id: CustomerId,
    /// Seconds since 1970.
    expires: i64,
}

impl RiskForm {
    pub(in crate::store) fn new(customer: &CustomerId, at: DateTime<Utc>, horizon_days: u32) -> Self {
        Self { customer_id: customer.clone(), expires: expires(at, i64::from(horizon_days)) }
    }
}

/// Somebody in the list of a risk level, and until when, in seconds since 1970.
impl TryFrom<RiskForm> for (CustomerId, i64) {
    type Error = &'static str;

    fn try_from(RiskForm { customer_id, expires }: RiskForm) -> Result<Self, Self::Error> {
        Ok((customer_id, expires))
    }
}

fn expires(at: DateTime<Utc>, days: i64) -> i64 {
    (at + TimeDelta::days(days)).timestamp()
}

/// What a run keeps of an org.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct ChurnModelForm {
    family: ModelFamily,
    /// r, alpha (weeks), a, b.
    parameters: [f64; 4],
    source: ParameterSource,
    #[serde(serialize_with = "time::serialize")]
    fitted_at: DateTime<Utc>,
    customers: u32,
    #[serde(serialize_with = "time::serialize")]
    looked_back_to: DateTime<Utc>,
}

impl From<&ChurnModelRecord> for ChurnModelForm {
    fn from(ChurnModelRecord { model, fitted_at, customers, looked_back_to }: &ChurnModelRecord) -> Self {
        let Model { family, parameters, source } = *model;
        let (parameters, fitted_at, looked_back_to) = (parameters.values(), *fitted_at, *looked_back_to);
        Self { family, parameters, source, fitted_at, customers: *customers, looked_back_to }
    }
}

impl TryFrom<ChurnModelForm> for ChurnModelRecord {
    type Error = &'static str;

    fn try_from(form: ChurnModelForm) -> Result<Self, Self::Error> {
        let ChurnModelForm { family, parameters, source, fitted_at, customers, looked_back_to } = form;
        let parameters = Parameters::new(parameters).ok_or("parameters out of bounds")?;
        Ok(Self { model: Model { family, parameters, source }, fitted_at, customers, looked_back_to })
    }
}
