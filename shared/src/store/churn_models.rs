//! The churn models of orgs.

use super::{
    error::StoreError,
    items::{churn_model::ChurnModelForm, form},
    keys,
    table::Store,
    transact::Change,
};
use crate::domain::{churn::fit::ChurnModelRecord, ids::OrgId, org::Org};

impl Store {
    /// The churn model that the last run saved for an org.
    pub async fn churn_model(&self, org: &OrgId) -> Result<Option<ChurnModelRecord>, StoreError> {
        let [item] = self.get([&keys::churn_model(org)]).await?;
        item.map(|item| form::read::<ChurnModelForm, _>("a churn model", item)).transpose()
    }

    /// Saves the churn model of an org, which must still exist.
    pub async fn save_churn_model(&self, org: &Org, model: &ChurnModelRecord) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.check(&keys::org(&org.id), Change::default().require_present("pk"))?;
        transaction.upsert(&keys::churn_model(&org.id), None, &ChurnModelForm::from(model), None)?;
        transaction.commit().await
    }
}
