//! Writes of a customer's profile together with the look-ups by which the customer is found.

use crate::{
    domain::{
        contact::Contact,
        customer::{Customer, CustomerProfile},
        ids::CustomerId,
        lookups::{ContactHolders, FoundBy, has_contact},
        org::Org,
        rejection::{FieldError, Rejection},
    },
    failure::Failure,
    store::{ContactLookups, Store, Transaction, Versioned},
};

/// A contact, the customers who have it from now on, and its look-up as it was read.
type LookupWrite = (Contact, ContactHolders, Option<Versioned<ContactHolders>>);

/// The writes of look-ups that a change of a profile needs.
pub struct ProfileWrites {
    lookups: Vec<LookupWrite>,
    /// Whether the name changes in its search form.
    is_renamed: bool,
    /// By what the customer is found from now on. The customer is written with it.
    pub found_by: FoundBy,
}

/// Rejects a telephone number that cannot be dialled in the org's country.
pub fn check_phone(org: &Org, profile: &CustomerProfile) -> Result<(), Rejection> {
    let number = profile.phone.as_ref().map(|text| Contact::phone(text, org.profile.country));
    match number {
        Some(Err(rule)) => Err(Rejection::Invalid(vec![FieldError::new("phone", rule)].into())),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Plans the writes of look-ups for a change of a customer's profile. `loaded` has the look-ups of all contacts of the new
/// profile. It is `None` for a change of single fields, which needs only those of changed contacts.
///
/// Fails with [`Rejection::CardTaken`] or [`Rejection::ContactShared`] if too many other customers have a contact.
pub async fn plan(
    store: &Store,
    org: &Org,
    customer: &Customer,
    after: &CustomerProfile,
    loaded: Option<ContactLookups>,
) -> Result<ProfileWrites, Failure> {
    let mut found_by = FoundBy::of(after, org.profile.country);
    let old = &customer.found_by.contacts;
    let gone: Vec<&Contact> = old.difference(&found_by.contacts).collect();
    let is_written = |contact: &&Contact| loaded.is_some() || !old.contains(*contact);
    let new: Vec<Contact> = found_by.contacts.iter().filter(is_written).cloned().collect();
    let missing = gone.iter().copied().chain(new.iter().filter(|_| loaded.is_none()));
    let (_, mut lookups) = store.customer_and_lookups(&org.id, None, missing).await?;
    let is_patch = loaded.is_none();
    lookups.extend(loaded.into_iter().flatten());

    let mut writes = Vec::new();
    for contact in gone {
        if let Some(before) = lookups.remove(contact) {
            let mut holders = before.value.clone();
            if holders.0.remove(&customer.id) {
                writes.push((contact.clone(), holders, Some(before)));
            }
        }
    }
    for contact in new {
        let before = lookups.remove(&contact);
        let mut holders = before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
        if holders.0.contains(&customer.id) {
            continue;
        }
        if let Err(rejection) = holders.add(contact.kind, &customer.id) {
            // A release without look-ups may have taken the contact from a holder. One who cannot be read has it still.
            let profiles = store.holders(&org.id, &holders).await?;
            let has = |holder: &Customer| has_contact(&holder.profile, &contact, org.profile.country);
            holders.0.retain(|id| profiles.get(id).is_some_and(|holder| holder.as_ref().is_none_or(has)));
            if holders.add(contact.kind, &customer.id).is_err() {
                // A customer from before there were look-ups may share a contact with too many. A change of another field
                // leaves it as it is, without a look-up.
                if is_patch && has(customer) {
                    found_by.contacts.remove(&contact);
                    continue;
                }
                return Err(rejection.into());
            }
        }
        writes.push((contact, holders, before));
    }
    Ok(ProfileWrites { lookups: writes, is_renamed: found_by.name != customer.found_by.name, found_by })
}

impl ProfileWrites {
    /// Whether the customer is found by all of this already.
    #[must_use]
    pub fn is_empty_for(&self, customer: &Customer) -> bool {
        self.lookups.is_empty() && self.found_by == customer.found_by
    }

    /// Adds the writes to the transaction that writes the customer.
    pub fn add_to(&self, transaction: &mut Transaction<'_>, customer: &CustomerId) -> Result<(), Failure> {
        for (contact, holders, before) in &self.lookups {
            transaction.write_lookup(contact, holders, before.as_ref())?;
        }
        if self.is_renamed {
            transaction.list_name(customer, self.found_by.name.as_deref())?;
        }
        Ok(())
    }
}
