//! Which item lives under which key. Ids can't hold `#`, so no id reaches into another's partition.
//!
//! | item | pk | sk | list / at |
//! |---|---|---|---|
//! | org and its loyalty settings | `ORG#o` | `ORG` | `ORGS` / o |
//! | customer | `CUSTOMER#o#c` | `PROFILE` | `CUSTOMERS#o` / last order (`0000` without) |
//! | ledger or activity entry | `CUSTOMER#o#c` | `ENTRY#version#kind#ref` | `ACTIVITY#o#day` / at |
//! | an adjustment's idempotency record | `CUSTOMER#o#c` | `ONCE#adjustment#id` | |
//! | whose an order is | `ORDER#o#order` | `ORDER` | `ORDERS#o` / order (disposable orgs only, to find it) |
//! | an award's idempotency record | `ORDER#o#order` | `AWARD` | |
//! | a refund's idempotency record | `ORDER#o#order` | `REFUND#id` | |
//!
//! An order's partition is its whole story. The version in an entry's key is the customer's, so a ledger is listed in the
//! order in which it was committed, whatever the clocks of those who wrote it said. By time it is in the index.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};

use super::Item;
use crate::domain::{
    ids::{AdjustmentId, CustomerId, OrderId, OrgId, RefundId},
    ledger::Entry,
    time,
};

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// A place in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) list: String,
    pub(super) at: String,
}

const ORG: &str = "ORG";
const PROFILE: &str = "PROFILE";
const ORDER: &str = "ORDER";
pub(super) const ENTRY_PREFIX: &str = "ENTRY#";
pub(super) const ORGS: &str = "ORGS";

/// The longest sort key that the service takes, in bytes.
pub(super) const LONGEST_SORT_KEY: usize = 1024;

/// Where customers without orders are listed: before every date.
const NO_ORDERS: &str = "0000";

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub(super) fn to_item(&self) -> Item {
        Item::from([("pk".into(), text(&self.pk)), ("sk".into(), text(&self.sk))])
    }

    pub(super) fn is_of(&self, item: &Item) -> bool {
        let has =
            |name: &str, value: &str| item.get(name).and_then(|held| held.as_s().ok()).is_some_and(|s| s == value);
        has("pk", &self.pk) && has("sk", &self.sk)
    }
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn org_partition(org: &OrgId) -> String {
    format!("ORG#{org}")
}

pub(super) fn customer_partition(org: &OrgId, customer: &CustomerId) -> String {
    format!("CUSTOMER#{org}#{customer}")
}

fn order_partition(org: &OrgId, order: &OrderId) -> String {
    format!("ORDER#{org}#{order}")
}

pub(super) fn org(org: &OrgId) -> Key {
    Key::new(org_partition(org), ORG)
}

pub(super) fn org_place(org: &OrgId) -> Place {
    Place { list: ORGS.into(), at: org.to_string() }
}

pub(super) fn customer(org: &OrgId, customer: &CustomerId) -> Key {
    Key::new(customer_partition(org, customer), PROFILE)
}

pub(super) fn customers_list(org: &OrgId) -> String {
    format!("CUSTOMERS#{org}")
}

pub(super) fn customer_place(org: &OrgId, last_order_at: Option<DateTime<Utc>>) -> Place {
    Place { list: customers_list(org), at: last_order_at.map_or_else(|| NO_ORDERS.into(), time::text) }
}

/// The place of a customer listed at `at`, if that is a date that any could be listed at.
pub(super) fn customer_place_at(org: &OrgId, at: &str) -> Option<Place> {
    let is_place = at == NO_ORDERS || time::parse(at).is_ok_and(|parsed| time::text(parsed) == at);
    is_place.then(|| Place { list: customers_list(org), at: at.to_owned() })
}

pub(super) fn entry(org: &OrgId, customer: &CustomerId, version: u64, entry: &Entry) -> Key {
    let (kind, reference) = (entry.what.kind(), entry.what.reference());
    Key::new(customer_partition(org, customer), format!("{ENTRY_PREFIX}{version:012}#{kind}#{reference}"))
}

pub(super) fn entry_place(org: &OrgId, at: DateTime<Utc>) -> Place {
    Place { list: format!("ACTIVITY#{org}#{}", at.date_naive()), at: time::text(at) }
}

pub(super) fn adjustment(org: &OrgId, customer: &CustomerId, id: &AdjustmentId) -> Key {
    Key::new(customer_partition(org, customer), format!("ONCE#adjustment#{id}"))
}

pub(super) fn order(org: &OrgId, order: &OrderId) -> Key {
    Key::new(order_partition(org, order), ORDER)
}

pub(super) fn orders_list(org: &OrgId) -> String {
    format!("ORDERS#{org}")
}

pub(super) fn award(org: &OrgId, order: &OrderId) -> Key {
    Key::new(order_partition(org, order), "AWARD")
}

pub(super) fn refund(org: &OrgId, order: &OrderId, refund: &RefundId) -> Key {
    Key::new(order_partition(org, order), format!("REFUND#{refund}"))
}
