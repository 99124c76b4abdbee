//! The stored form of the look-up of a contact, and of a customer's name.

use serde::{Deserialize, Serialize};

use crate::domain::{ids::CustomerId, lookups::ContactHolders};

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct ContactForm {
    holders: Vec<HolderForm>,
    version: u64,
}

/// A customer who has the contact.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HolderForm {
    customer_id: CustomerId,
}

impl ContactForm {
    pub(in crate::store) fn new(holders: &ContactHolders, version: u64) -> Self {
        let holders = holders.0.iter().cloned().map(|customer_id| HolderForm { customer_id });
        Self { holders: holders.collect(), version }
    }
}

impl TryFrom<ContactForm> for (ContactHolders, u64) {
    type Error = &'static str;

    fn try_from(form: ContactForm) -> Result<Self, Self::Error> {
        let holders = form.holders.into_iter().map(|HolderForm { customer_id }| customer_id);
        Ok((ContactHolders(holders.collect()), form.version))
    }
}

/// The item has only its keys.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct NameForm {}
