//! The keys of look-ups: contacts and names of customers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::keys::{IndexKey, Key, customer_partition};
use crate::domain::{
    contact::Contact,
    ids::{CustomerId, OrgId},
};

/// The key has a digest of the contact and not the contact, because keys are logged.
pub(super) fn contact(org: &OrgId, contact: &Contact) -> Key {
    Key::new(format!("CONTACT#{org}#{}", contact_name(contact)), "CONTACT")
}

fn contact_name(contact: &Contact) -> String {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&contact.value));
    format!("{}#{digest}", contact.kind.name())
}

pub(super) fn contacts_index_pk(org: &OrgId) -> String {
    format!("CONTACTS#{org}")
}

pub(super) fn contact_index_key(org: &OrgId, contact: &Contact) -> IndexKey {
    IndexKey { index_pk: contacts_index_pk(org), index_sk: contact_name(contact) }
}

pub(super) fn name(org: &OrgId, customer: &CustomerId) -> Key {
    Key::new(customer_partition(org, customer), "NAME")
}

pub(super) fn names_index_pk(org: &OrgId) -> String {
    format!("NAMES#{org}")
}

pub(super) fn name_index_key(org: &OrgId, name: &str) -> IndexKey {
    IndexKey { index_pk: names_index_pk(org), index_sk: name.to_owned() }
}

/// The index key of every erased customer of a disposable org, so that a deletion finds them.
pub(super) fn erased_index_key(org: &OrgId) -> IndexKey {
    IndexKey { index_pk: contacts_index_pk(org), index_sk: "erased".to_owned() }
}
