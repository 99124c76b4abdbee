//! Look-ups of customers by their contacts, and by the beginning of their names.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    attributes::number,
    customers::read_customer,
    error::StoreError,
    items::contact::{ContactForm, NameForm},
    keys, lookup_keys,
    rows::{Page, skip_unreadable},
    table::{Store, Versioned},
    transact::{Change, Transaction},
};
use crate::domain::{
    contact::Contact,
    customer::Customer,
    ids::{CustomerId, OrgId},
    lookups::{ContactHolders, has_contact},
    org::Org,
};

/// The look-ups of some contacts. A contact that no customer has is missing.
pub type ContactLookups = BTreeMap<Contact, Versioned<ContactHolders>>;

/// The attribute with the customers who have a contact.
const HOLDERS: &str = "holders";

impl Store {
    /// Loads a customer, if known, and the look-ups of some contacts.
    pub async fn customer_and_lookups<'a>(
        &self,
        org: &OrgId,
        customer: Option<&CustomerId>,
        contacts: impl Iterator<Item = &'a Contact>,
    ) -> Result<(Option<Versioned<Customer>>, ContactLookups), StoreError> {
        let contacts: Vec<(&Contact, keys::Key)> =
            contacts.map(|contact| (contact, lookup_keys::contact(org, contact))).collect();
        let customer_key = customer.map(|customer| keys::customer(org, customer));
        let all: Vec<keys::Key> = customer_key.iter().chain(contacts.iter().map(|(_, key)| key)).cloned().collect();
        if all.is_empty() {
            return Ok((None, ContactLookups::new()));
        }
        let (mut found, mut lookups) = (None, ContactLookups::new());
        for item in self.get_all(&all).await? {
            if let Some((contact, _)) = contacts.iter().find(|(_, key)| key.is_of(&item)) {
                let read = Versioned::read::<ContactForm>("the look-up of a contact", item)?;
                lookups.insert((*contact).clone(), read);
            } else {
                found = Some(read_customer(item)?);
            }
        }
        Ok((found, lookups))
    }

    /// The customers who have a contact, as far as their profiles still have it.
    pub async fn customers_with(&self, org: &Org, contact: &Contact) -> Result<Vec<Customer>, StoreError> {
        let (_, mut lookups) = self.customer_and_lookups(&org.id, None, std::iter::once(contact)).await?;
        let Some(lookup) = lookups.remove(contact) else { return Ok(Vec::new()) };
        let holders = self.holders(&org.id, &lookup.value).await?.into_values().flatten();
        Ok(holders.filter(|customer| has_contact(&customer.profile, contact, org.profile.country)).collect())
    }

    /// The customers of a look-up, by id, without absent and erased customers. `None` stands for a customer who cannot be
    /// read.
    pub async fn holders(
        &self,
        org: &OrgId,
        holders: &ContactHolders,
    ) -> Result<BTreeMap<CustomerId, Option<Customer>>, StoreError> {
        let keys: Vec<keys::Key> = holders.0.iter().map(|customer| keys::customer(org, customer)).collect();
        let mut found = BTreeMap::new();
        for item in self.get_all(&keys).await? {
            let id = keys::customer_of(org, &item)?;
            let customer = skip_unreadable(read_customer(item)).map(|customer| customer.value);
            if !customer.as_ref().is_some_and(Customer::is_erased) {
                found.insert(id, customer);
            }
        }
        Ok(found)
    }

    /// A page of the customers whose names begin with a text in its search form, in the order of their names. The list may
    /// lag behind the customers.
    pub async fn customers_named(
        &self,
        org: &OrgId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<CustomerId>>, StoreError> {
        self.index_page_beginning(&lookup_keys::names_index_pk(org), prefix, after, limit, |item| {
            keys::customer_of(org, &item)
        })
        .await
    }
}

impl Transaction<'_> {
    /// Writes the look-up of a contact, read as `before`. A look-up without holders is removed.
    pub fn write_lookup(
        &mut self,
        contact: &Contact,
        holders: &ContactHolders,
        before: Option<&Versioned<ContactHolders>>,
    ) -> Result<(), StoreError> {
        let org = &self.org.id;
        let key = lookup_keys::contact(org, contact);
        // The deletion of a disposable org finds the look-up by its list.
        let index_key = self.org.disposable.then(|| lookup_keys::contact_index_key(org, contact));
        let Some(before) = before else {
            let form = ContactForm::new(holders, 1);
            return if holders.0.is_empty() { Ok(()) } else { self.create(&key, index_key.as_ref(), &form) };
        };
        // A look-up that was removed and made again has the first version again, so the version alone does not tell.
        if holders.0.is_empty() {
            let unchanged = Change::default().require("version", "=", number(before.version));
            let read = before.image.get(HOLDERS).cloned();
            return self.delete(&key, unchanged.require(HOLDERS, "=", read.unwrap_or(AttributeValue::Null(true))));
        }
        let form = ContactForm::new(holders, before.next_version());
        self.replace_unchanged(&key, index_key.as_ref(), &form, before, HOLDERS)
    }

    /// Lists a customer by a name in its search form, or no longer. The same transaction writes the customer.
    pub fn list_name(&mut self, customer: &CustomerId, name: Option<&str>) -> Result<(), StoreError> {
        let (org, key) = (&self.org.id, lookup_keys::name(&self.org.id, customer));
        match name {
            Some(name) => self.upsert(&key, Some(&lookup_keys::name_index_key(org, name)), &NameForm {}, None),
            None => self.delete(&key, Change::default()),
        }
    }
}
