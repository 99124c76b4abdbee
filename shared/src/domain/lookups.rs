//! The look-ups by which customers are found: who has a contact, and by which name a customer is searched.

use std::collections::BTreeMap;

use crate::domain::{
    contact::{Contact, ContactKind, Country},
    customer::CustomerProfile,
    ids::CustomerId,
    rejection::Rejection,
    text::SingleLine,
};

/// The contacts of a profile, each with its text as it was written. A telephone number that cannot be parsed is left out.
#[must_use]
pub fn contacts_of(profile: &CustomerProfile, country: Country) -> BTreeMap<Contact, SingleLine> {
    let phone = profile.phone.as_ref().and_then(|text| Some((Contact::phone(text, country).ok()?, text)));
    let email = profile.email.as_ref().map(|text| (Contact::email(text), text));
    let card = profile.card_number.as_ref().map(|text| (Contact::card(text), text));
    [phone, email, card].into_iter().flatten().map(|(contact, text)| (contact, text.clone())).collect()
}

/// The text of a kind of contact in a profile.
#[must_use]
pub const fn text_of(profile: &CustomerProfile, kind: ContactKind) -> Option<&SingleLine> {
    match kind {
        ContactKind::Phone => profile.phone.as_ref(),
        ContactKind::Email => profile.email.as_ref(),
        ContactKind::CardNumber => profile.card_number.as_ref(),
    }
}

/// The customers who have a contact, each with its text as they wrote it. They are believed only as far as their profiles
/// still have that text: a release without look-ups may have changed a profile alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactHolders(pub BTreeMap<CustomerId, SingleLine>);

impl ContactHolders {
    /// Adds a customer. Fails with [`Rejection::CardTaken`] or [`Rejection::ContactShared`] if too many others have the
    /// contact.
    pub fn add(&mut self, kind: ContactKind, customer: &CustomerId, text: &SingleLine) -> Result<(), Rejection> {
        let others = self.0.keys().filter(|holder| *holder != customer).count();
        if others >= kind.holders_max() {
            return Err(match kind {
                ContactKind::CardNumber => Rejection::CardTaken,
                ContactKind::Phone | ContactKind::Email => Rejection::ContactShared { contact: kind },
            });
        }
        self.0.insert(customer.clone(), text.clone());
        Ok(())
    }

    /// Removes the customers whose profiles no longer have the contact. `profile_of` returns the profile of a customer.
    pub fn retain_believed<'a>(
        &mut self,
        kind: ContactKind,
        profile_of: impl Fn(&CustomerId) -> Option<&'a CustomerProfile>,
    ) {
        self.0.retain(|customer, text| {
            profile_of(customer).and_then(|profile| text_of(profile, kind)).is_some_and(|current| current == text)
        });
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
