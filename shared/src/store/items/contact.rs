//! The stored form of the look-up of a contact, and of a customer's name.

use serde::{Deserialize, Serialize};

use crate::domain::{ids::CustomerId, lookups::ContactHolders, text::SingleLine};

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
    /// The contact as the customer wrote it.
    text: SingleLine,
}

impl ContactForm {
    pub(in crate::store) fn new(holders: &ContactHolders, version: u64) -> Self {
        let form = |(customer_id, text): (&CustomerId, &SingleLine)| HolderForm {
            customer_id: customer_id.clone(),
            text: text.clone(),
        };
        Self { holders: holders.0.iter().map(form).collect(), version }
    }
}

impl TryFrom<ContactForm> for (ContactHolders, u64) {
    type Error = &'static str;

    fn try_from(form: ContactForm) -> Result<Self, Self::Error> {
        let holders = form.holders.into_iter().map(|HolderForm { customer_id, text }| (customer_id, text));
        Ok((ContactHolders(holders.collect()), form.version))
    }
}

/// The item has only its keys.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct NameForm {}
