//! Notices that points of a customer expire soon.

use super::{error::StoreError, items::expiry_notice::ExpiryNoticeForm, keys, table::Store, transact::Change};
use crate::{
    domain::{ids::CustomerId, lots::notice::ExpiryNotice, org::Org},
    outbound::ChangeEvent,
};

impl Store {
    /// Records a notice with its event. Returns `false` if it was recorded before, or if the customer is deleted.
    pub async fn record_expiry_notice(
        &self,
        org: &Org,
        customer: &CustomerId,
        notice: &ExpiryNotice,
    ) -> Result<bool, StoreError> {
        let key = keys::expiry_notice(&org.id, customer, notice);
        let customer_key = keys::customer(&org.id, customer);
        let event = ChangeEvent::PointsExpiring { customer_id: customer.clone(), notice: notice.clone() };
        let mut transaction = self.transaction(org);
        // The deletion of an org finds only what customers have who exist.
        transaction.check(&customer_key, Change::default().require_present("pk"))?;
        transaction.create_with_event(&key, None, &ExpiryNoticeForm::from(notice), Some(&event))?;
        match transaction.commit().await {
            Ok(()) => Ok(true),
            Err(StoreError::Contended) => match self.get([&key, &customer_key]).await? {
                [None, Some(_)] => Err(StoreError::Contended),
                [Some(_), _] | [_, None] => Ok(false),
            },
            Err(error) => Err(error),
        }
    }
}
