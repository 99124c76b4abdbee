//! The look-ups by which customers are found: who has a contact, and by which name a customer is searched.

use std::collections::BTreeSet;

use crate::domain::{
    contact::{Contact, ContactKind, Country},
    ids::CustomerId,
    profile::CustomerProfile,
    rejection::Rejection,
};

/// The contacts and the name by which a customer is found. They are recorded with the customer, because a release without
/// look-ups, or a change of the org's country, may leave a profile that no longer says which look-ups there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundBy {
    /// The contacts.
    pub contacts: BTreeSet<Contact>,
    /// The name in its search form.
    pub name: Option<String>,
}

impl FoundBy {
    /// By what a customer with a profile is to be found. A telephone number that cannot be parsed is left out.
    #[must_use]
    pub fn of(profile: &CustomerProfile, country: Country) -> Self {
        let kinds = ContactKind::ALL.iter();
        let contacts = kinds.filter_map(|kind| contact_of(profile, *kind, country)).collect();
        Self { contacts, name: searched_name(profile) }
    }
}

/// The contact of a kind in a profile.
fn contact_of(profile: &CustomerProfile, kind: ContactKind, country: Country) -> Option<Contact> {
    match kind {
        ContactKind::Phone => profile.phone.as_ref().and_then(|text| Contact::phone(text, country).ok()),
        ContactKind::Email => profile.email.as_ref().map(Contact::email),
        ContactKind::CardNumber => profile.card_number.as_ref().map(Contact::card),
    }
}

/// Whether a profile has a contact.
#[must_use]
pub fn has_contact(profile: &CustomerProfile, contact: &Contact, country: Country) -> bool {
    contact_of(profile, contact.kind, country).as_ref() == Some(contact)
}

/// The customers who have a contact. They are believed only as far as their profiles still have it: a release without
/// look-ups may have changed a profile alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactHolders(pub BTreeSet<CustomerId>);

impl ContactHolders {
    /// Adds a customer. Fails with [`Rejection::CardTaken`] or [`Rejection::ContactShared`] if too many others have the
    /// contact.
    pub fn add(&mut self, kind: ContactKind, customer: &CustomerId) -> Result<(), Rejection> {
        let others = self.0.iter().filter(|holder| *holder != customer).count();
        if others >= kind.holders_max() {
            return Err(match kind {
                ContactKind::CardNumber => Rejection::CardTaken,
                ContactKind::Phone | ContactKind::Email => Rejection::ContactShared { contact: kind },
            });
        }
        self.0.insert(customer.clone());
        Ok(())
    }
}

/// The number of characters of a name that are searched.
const SEARCHED_CHARS_MAX: usize = 200;

/// The form of a name in which names are searched by their beginning: the last name, then the first name, in lower case.
#[must_use]
pub fn searched_name(profile: &CustomerProfile) -> Option<String> {
    let names = [&profile.last_name, &profile.first_name].into_iter().flatten().map(|name| search_form(name.as_str()));
    let name = names.collect::<Vec<_>>().join(" ");
    // A sort key has at most 1,024 bytes, and a character at most four.
    let name: String = name.chars().take(SEARCHED_CHARS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// A text as names are compared: in lower case, with single spaces.
#[must_use]
pub fn search_form(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
