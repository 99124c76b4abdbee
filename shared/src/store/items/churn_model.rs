//! The stored form of an org's churn model.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{
    churn::{
        fit::ChurnModelRecord,
        model::{Model, ModelFamily, ParameterSource, Parameters},
    },
    time,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct ChurnModelForm {
    family: ModelFamily,
    /// `r`, `alpha` (weeks), `a`, `b`.
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
