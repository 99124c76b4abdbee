//! Which item lives under which key. Ids can't hold `#`, so no id reaches into another's partition.
//!
//! | item | pk | sk | list / at |
//! |---|---|---|---|
//! | org and its loyalty settings | `ORG#o` | `ORG` | `ORGS` / o |
//! | customer | `CUSTOMER#o#c` | `PROFILE` | `CUSTOMERS#o` / last order (`0000` without) |
//! | ledger or activity entry | `CUSTOMER#o#c` | `ENTRY#version.nth#kind#ref` | `ACTIVITY#o#day` / at |
//! | an adjustment's idempotency record | `CUSTOMER#o#c` | `ONCE#adjustment#id` | |
//! | whose an order is, and that none of its bundles counts | `ORDER#o#order` | `ORDER` | `ORDERS#o` / order (disposable orgs only, to find it) |
//! | an award's idempotency record | `ORDER#o#order` | `AWARD` | |
//! | a refund's idempotency record, or the mark of a void before it | `ORDER#o#order` | `REFUND#id` | |
//! | a redemption of points, or the mark of a void before it | `ORDER#o#order` | `POINTS` | `SPENT#o#c` / redeemed at |
//! | an org's key (a digest of it) | `ORG#o` | `KEY#id` | |
//! | a bundle | `ORG#o` | `BUNDLE#b` | `DUE#shard` / next change (absent when nothing will change) |
//! | that a bundle was deleted (kept, also beside a new one with its id) | `ORG#o` | `DELETED#b` | |
//! | that an org's zone has changed | `ORG#o` | `TIME_ZONE_CHANGE` | `DUE#shard` / two minutes after it |
//! | a bundle's transition | `BUNDLE#o#b` | `TRANSITION#at#version.nth#from-to` | `TRANSITIONS#o#day` / put on record at |
//! | a customer's count on a bundle | `BUNDLE#o#b` | `CUSTOMER#c` | |
//! | the churn model fitted to an org, and up to when it was looked back | `ORG#o` | `CHURN` | |
//! | a prediction of churn (TTL: two horizons) | `CUSTOMER#o#c` | `PREDICTION#date` | `PREDICTIONS#o#end of its horizon` / c |
//! | a customer's risk level (TTL: one horizon) | `CUSTOMER#o#c` | `RISK` | `RISK#o#level` / lifetime value, zero-padded |
//! | how far a sweep over all orgs is that had to stop | `SWEEP#operation` | `POSITION` | |
//! | by which release of the zone rules bundles are judged, and how far the change to it is | `SWEEP#transition` | `ZONES` | |
//! | since when the next sweep over all orgs is waited for (the state machine writes it too) | `SWEEP#operation` | `ENDED` | |
//! | a redemption, or the mark of a void before it | `ORDER#o#order` | `BUNDLE#b` | `REDEMPTIONS#o#b` / redeemed at |
//!
//! An order's partition is its whole story. The version in an entry's key is the customer's, so a ledger is listed in the
//! order in which it was committed, whatever the clocks of those who wrote it said; `nth` orders the entries of one write. The
//! release before wrote `ENTRY#version#kind#ref`. By time an entry is in the index.
//!
//! The due index is in 16 shards, so that no shop and no hour has it to itself; which one is a digest of org and bundle.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use super::Item;
use crate::domain::{
    bundle::transition::Transition,
    churn::risk::RiskLevel,
    ids::{AdjustmentId, BundleId, CustomerId, KeyId, OrderId, OrgId, RefundId},
    ledger::Entry,
    money::Money,
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
pub(super) struct IndexKey {
    pub(super) index_pk: String,
    pub(super) index_sk: String,
}

const ORG: &str = "ORG";
const PROFILE: &str = "PROFILE";
const ORDER: &str = "ORDER";
pub(super) const ENTRY_PREFIX: &str = "ENTRY#";
pub(super) const REFUND_PREFIX: &str = "REFUND#";
pub(super) const BUNDLE_PREFIX: &str = "BUNDLE#";
pub(super) const TRANSITION_PREFIX: &str = "TRANSITION#";
pub(super) const KEY_PREFIX: &str = "KEY#";
const TIME_ZONE_CHANGE: &str = "REZONE";
pub(super) const ORGS: &str = "ORGS";

/// Into how many lists the due index is divided.
pub const DUE_SHARDS: u8 = 16;

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

pub(super) fn org_partition(org: &OrgId) -> String {
    format!("ORG#{org}")
}

pub(super) fn customer_partition(org: &OrgId, customer: &CustomerId) -> String {
    format!("CUSTOMER#{org}#{customer}")
}

pub(super) fn order_partition(org: &OrgId, order: &OrderId) -> String {
    format!("ORDER#{org}#{order}")
}

/// The order whose partition this is.
pub(super) fn order_of(pk: &str) -> Option<&str> {
    pk.strip_prefix("ORDER#")?.split_once('#').map(|(_, order)| order)
}

pub(super) fn org(org: &OrgId) -> Key {
    Key::new(org_partition(org), ORG)
}

pub(super) fn org_index_key(org: &OrgId) -> IndexKey {
    IndexKey { index_pk: ORGS.into(), index_sk: org.to_string() }
}

pub(super) fn customer(org: &OrgId, customer: &CustomerId) -> Key {
    Key::new(customer_partition(org, customer), PROFILE)
}

/// The customer of an org whose partition this is.
pub(super) fn customer_of(org: &OrgId, pk: &str) -> Option<CustomerId> {
    let id = pk.strip_prefix("CUSTOMER#")?.strip_prefix(org.as_str())?.strip_prefix('#')?;
    CustomerId::try_from(id.to_owned()).ok()
}

pub(super) fn customers_index_pk(org: &OrgId) -> String {
    format!("CUSTOMERS#{org}")
}

pub(super) fn customer_index_key(org: &OrgId, last_order_at: Option<DateTime<Utc>>) -> IndexKey {
    IndexKey { index_pk: customers_index_pk(org), index_sk: last_order_at.map_or_else(|| NO_ORDERS.into(), time::text) }
}

/// The place of a customer listed at `at`, if that is a date that any could be listed at.
pub(super) fn customer_index_key_at(org: &OrgId, at: &str) -> Option<IndexKey> {
    let is_index_key = at == NO_ORDERS || time::parse(at).is_ok_and(|parsed| time::text(parsed) == at);
    is_index_key.then(|| IndexKey { index_pk: customers_index_pk(org), index_sk: at.to_owned() })
}

pub(super) fn entry(org: &OrgId, customer: &CustomerId, version: u64, nth: usize, entry: &Entry) -> Key {
    let (kind, reference) = (entry.kind.name(), entry.kind.reference());
    Key::new(customer_partition(org, customer), format!("{ENTRY_PREFIX}{version:012}.{nth:02}#{kind}#{reference}"))
}

/// The entries that were written on a day of UTC.
pub(super) fn entries_index_pk(org: &OrgId, day: NaiveDate) -> String {
    format!("ACTIVITY#{org}#{day}")
}

pub(super) fn entry_index_key(org: &OrgId, at: DateTime<Utc>) -> IndexKey {
    IndexKey { index_pk: entries_index_pk(org, at.date_naive()), index_sk: time::text(at) }
}

pub(super) fn adjustment(org: &OrgId, customer: &CustomerId, id: &AdjustmentId) -> Key {
    Key::new(customer_partition(org, customer), format!("ONCE#adjustment#{id}"))
}

pub(super) fn order(org: &OrgId, order: &OrderId) -> Key {
    Key::new(order_partition(org, order), ORDER)
}

pub(super) fn orders_index_pk(org: &OrgId) -> String {
    format!("ORDERS#{org}")
}

pub(super) fn award(org: &OrgId, order: &OrderId) -> Key {
    Key::new(order_partition(org, order), "AWARD")
}

pub(super) fn refund(org: &OrgId, order: &OrderId, refund: &RefundId) -> Key {
    Key::new(order_partition(org, order), format!("{REFUND_PREFIX}{refund}"))
}

pub(super) fn bundle(org: &OrgId, bundle: &BundleId) -> Key {
    Key::new(org_partition(org), format!("{BUNDLE_PREFIX}{bundle}"))
}

pub(super) fn deleted_bundle(org: &OrgId, bundle: &BundleId) -> Key {
    Key::new(org_partition(org), format!("DELETED#{bundle}"))
}

/// The org and the bundle of a bundle's key, or of the mark that an org's zone has changed.
pub(super) fn due_parts(pk: &str, sk: &str) -> Option<(OrgId, Option<BundleId>)> {
    let org = OrgId::try_from(pk.strip_prefix("ORG#")?.to_owned()).ok()?;
    if sk == TIME_ZONE_CHANGE {
        return Some((org, None));
    }
    let bundle = BundleId::try_from(sk.strip_prefix(BUNDLE_PREFIX)?.to_owned()).ok()?;
    Some((org, Some(bundle)))
}

pub(super) fn bundle_partition(org: &OrgId, bundle: &BundleId) -> String {
    format!("BUNDLE#{org}#{bundle}")
}

/// The partition that an item lists: a bundle's own, or else the one that the item is in.
pub(super) fn partition_listed_by(item: &Item) -> Option<String> {
    let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let (pk, sk) = part("pk").zip(part("sk"))?;
    match due_parts(pk, sk) {
        Some((org, Some(bundle))) => Some(bundle_partition(&org, &bundle)),
        _ => Some(pk.clone()),
    }
}

pub(super) fn transition(org: &OrgId, bundle: &BundleId, version: u64, nth: usize, transition: &Transition) -> Key {
    let Transition { from, to, at, .. } = transition;
    let (at, from, to) = (time::text(*at), from.name(), to.name());
    Key::new(bundle_partition(org, bundle), format!("{TRANSITION_PREFIX}{at}#{version:016}.{nth:02}#{from}-{to}"))
}

/// The bounds of the sort keys of a bundle's transitions after an instant. An instant is followed by `#` there, and `$` is
/// the next character.
pub(super) fn transitions_after(at: DateTime<Utc>) -> [String; 2] {
    let first = format!("{TRANSITION_PREFIX}{}$", time::text(at));
    [first, TRANSITION_PREFIX.replace('#', "$")]
}

/// The transitions that went on record on a day of UTC.
pub(super) fn transitions_index_pk(org: &OrgId, day: NaiveDate) -> String {
    format!("TRANSITIONS#{org}#{day}")
}

pub(super) fn transition_index_key(org: &OrgId, recorded_at: DateTime<Utc>) -> IndexKey {
    IndexKey { index_pk: transitions_index_pk(org, recorded_at.date_naive()), index_sk: time::text(recorded_at) }
}

pub(super) fn customer_count(org: &OrgId, bundle: &BundleId, customer: &CustomerId) -> Key {
    Key::new(bundle_partition(org, bundle), format!("CUSTOMER#{customer}"))
}

pub(super) fn bundle_redemption(org: &OrgId, bundle: &BundleId, order: &OrderId) -> Key {
    Key::new(order_partition(org, order), format!("{BUNDLE_PREFIX}{bundle}"))
}

pub(super) fn bundle_redemptions_index_pk(org: &OrgId, bundle: &BundleId) -> String {
    format!("REDEMPTIONS#{org}#{bundle}")
}

pub(super) fn bundle_redemption_index_key(org: &OrgId, bundle: &BundleId, redeemed_at: DateTime<Utc>) -> IndexKey {
    IndexKey { index_pk: bundle_redemptions_index_pk(org, bundle), index_sk: time::text(redeemed_at) }
}

pub(super) fn points_redemption(org: &OrgId, order: &OrderId) -> Key {
    Key::new(order_partition(org, order), "POINTS")
}

pub(super) fn points_redemptions_index_pk(org: &OrgId, customer: &CustomerId) -> String {
    format!("SPENT#{org}#{customer}")
}

pub(super) fn points_redemption_index_key(org: &OrgId, customer: &CustomerId, redeemed_at: DateTime<Utc>) -> IndexKey {
    IndexKey { index_pk: points_redemptions_index_pk(org, customer), index_sk: time::text(redeemed_at) }
}

pub(super) fn org_key(org: &OrgId, key: &KeyId) -> Key {
    Key::new(org_partition(org), format!("{KEY_PREFIX}{key}"))
}

pub(super) fn churn_model(org: &OrgId) -> Key {
    Key::new(org_partition(org), "CHURN")
}

pub(super) fn prediction(org: &OrgId, customer: &CustomerId, date: NaiveDate) -> Key {
    Key::new(customer_partition(org, customer), format!("PREDICTION#{date}"))
}

/// Among the predictions whose horizon ends on one day, by customer.
pub(super) fn prediction_index_key(org: &OrgId, customer: &CustomerId, ends_on: NaiveDate) -> IndexKey {
    IndexKey { index_pk: predictions_index_pk(org, ends_on), index_sk: customer.to_string() }
}

pub(super) fn predictions_index_pk(org: &OrgId, ends_on: NaiveDate) -> String {
    format!("PREDICTIONS#{org}#{ends_on}")
}

pub(super) fn risk(org: &OrgId, customer: &CustomerId) -> Key {
    Key::new(customer_partition(org, customer), "RISK")
}

pub(super) fn risk_index_pk(org: &OrgId, level: RiskLevel) -> String {
    format!("RISK#{org}#{}", level.name())
}

/// The place of somebody at risk, as they are valued.
pub(super) fn risk_index_key(org: &OrgId, level: RiskLevel, lifetime_value: Money) -> IndexKey {
    IndexKey { index_pk: risk_index_pk(org, level), index_sk: format!("{:016}", lifetime_value.minor()) }
}

pub(super) fn sweep(operation: &str) -> Key {
    Key::new(format!("SWEEP#{operation}"), "POSITION")
}

pub(super) fn sweep_ended(operation: &str) -> Key {
    Key::new(format!("SWEEP#{operation}"), "ENDED")
}

/// Up to which release of the zone rules all orgs are marked, for the bundles to be judged anew.
pub(super) fn zone_data() -> Key {
    Key::new("SWEEP#transition".to_owned(), "ZONES")
}

pub(super) fn due_index_pk(shard: u8) -> String {
    format!("DUE#{shard:02}")
}

/// Where something of an org is listed that is due at an instant.
fn due_index_key(org: &OrgId, what: &str, at: DateTime<Utc>) -> IndexKey {
    let digest = Sha256::digest(format!("{org}#{what}"));
    let shard = digest.first().copied().unwrap_or_default() % DUE_SHARDS;
    IndexKey { index_pk: due_index_pk(shard), index_sk: time::text(at) }
}

pub(super) fn bundle_index_key(org: &OrgId, bundle: &BundleId, due: DateTime<Utc>) -> IndexKey {
    due_index_key(org, bundle.as_str(), due)
}

pub(super) fn time_zone_change(org: &OrgId) -> Key {
    Key::new(org_partition(org), TIME_ZONE_CHANGE)
}

pub(super) fn time_zone_change_index_key(org: &OrgId, due: DateTime<Utc>) -> IndexKey {
    due_index_key(org, "", due)
}
