//! Writes of a customer's profile together with the look-ups by which the customer is found.

use crate::{
    domain::{
        contact::Contact,
        customer::CustomerProfile,
        ids::CustomerId,
        lookups::{ContactHolders, contacts_of, searched_name},
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
    /// The new name in its search form.
    name: Option<String>,
}

/// Rejects a telephone number that cannot be dialled in the org's country.
pub fn check_phone(org: &Org, profile: &CustomerProfile) -> Result<(), Rejection> {
    let number = profile.phone.as_ref().map(|text| Contact::phone(text, org.profile.country));
    match number {
        Some(Err(rule)) => Err(Rejection::Invalid(vec![FieldError::new("phone", rule)].into())),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// The contacts by which a customer with this profile is found.
pub fn contacts(org: &Org, profile: &CustomerProfile) -> impl Iterator<Item = Contact> {
    contacts_of(profile, org.profile.country).into_keys()
}

/// Plans the writes of look-ups for a change of a customer's profile. `loaded` has the look-ups of the new contacts, or is
/// `None` if no contact changes.
///
/// Fails with [`Rejection::CardTaken`] or [`Rejection::ContactShared`] if too many other customers have a contact.
pub async fn plan(
    store: &Store,
    org: &Org,
    customer: &CustomerId,
    (before, after): (&CustomerProfile, &CustomerProfile),
    loaded: Option<ContactLookups>,
) -> Result<ProfileWrites, Failure> {
    let name = searched_name(after);
    let is_renamed = name != searched_name(before);
    let lookups = match loaded {
        Some(loaded) => plan_lookups(store, org, customer, (before, after), loaded).await?,
        None => Vec::new(),
    };
    Ok(ProfileWrites { lookups, is_renamed, name })
}

async fn plan_lookups(
    store: &Store,
    org: &Org,
    customer: &CustomerId,
    (before, after): (&CustomerProfile, &CustomerProfile),
    mut loaded: ContactLookups,
) -> Result<Vec<LookupWrite>, Failure> {
    let (old, new) = (contacts_of(before, org.profile.country), contacts_of(after, org.profile.country));
    let gone: Vec<&Contact> = old.keys().filter(|contact| !new.contains_key(*contact)).collect();
    let (_, more) = store.customer_and_lookups(&org.id, None, gone.iter().copied()).await?;
    loaded.extend(more);
    let mut lookups = Vec::new();
    for contact in gone {
        if let Some(before) = loaded.remove(contact) {
            let mut holders = before.value.clone();
            if holders.0.remove(customer).is_some() {
                lookups.push((contact.clone(), holders, Some(before)));
            }
        }
    }
    for (contact, text) in &new {
        let before = loaded.remove(contact);
        let mut holders = before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
        if holders.0.get(customer) == Some(text) {
            continue;
        }
        if let Err(rejection) = holders.add(contact.kind, customer, text) {
            // A release without look-ups may have taken the contact from a holder.
            let profiles = store.holders(&org.id, before.iter()).await?;
            holders.retain_believed(contact.kind, |id| profiles.get(id).map(|customer| &customer.profile));
            holders.add(contact.kind, customer, text).map_err(|_| rejection)?;
        }
        lookups.push((contact.clone(), holders, before));
    }
    Ok(lookups)
}

impl ProfileWrites {
    /// Adds the writes to the transaction that writes the customer.
    pub fn add_to(&self, transaction: &mut Transaction<'_>, customer: &CustomerId) -> Result<(), Failure> {
        for (contact, holders, before) in &self.lookups {
            transaction.write_lookup(contact, holders, before.as_ref())?;
        }
        if self.is_renamed {
            transaction.list_name(customer, self.name.as_deref())?;
        }
        Ok(())
    }
}
