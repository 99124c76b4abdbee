//! The keys of every kind of item. An id cannot contain `#`, so no key reaches into the partition of another id.
//!
//! | item | pk | sk | list / at |
//! |---|---|---|---|
//! | org and its loyalty settings | `ORG#o` | `ORG` | `ORGS` / o |
//! | customer | `CUSTOMER#o#c` | `PROFILE` | `CUSTOMERS#o` / last order (`0000` without) |
//! | look-up of a contact: the customers who have it | `CONTACT#o#kind#digest` | `CONTACT` | `CONTACTS#o` / kind and digest (in disposable orgs only, so that a deletion finds the look-up) |
//! | the name of a customer, by whose beginning it is found | `CUSTOMER#o#c` | `NAME` | `NAMES#o` / last and first name in lower case |
//! | ledger or activity entry | `CUSTOMER#o#c` | `ENTRY#version.nth#kind#ref` | `ACTIVITY#o#day` / at |
//! | idempotency record of an adjustment | `CUSTOMER#o#c` | `ONCE#adjustment#id` | |
//! | notice that points expire soon (TTL: a week after they expire) | `CUSTOMER#o#c` | `EXPIRING#instant#days` | |
//! | order header: the order's customer, and whether its bundle redemptions are void | `ORDER#o#order` | `ORDER` | `ORDERS#o` / order (in disposable orgs only, so that a deletion finds the order) |
//! | idempotency record of an award | `ORDER#o#order` | `AWARD` | |
//! | idempotency record of a refund, or the mark of a void that came first | `ORDER#o#order` | `REFUND#id` | |
//! | points redemption, or the mark of a void that came first | `ORDER#o#order` | `POINTS` | `SPENT#o#c` / redeemed at |
//! | org key with the scope `manage` (a digest of the key) | `ORG#o` | `KEY#id` | |
//! | org key with any other scope (a digest of the key) | `ORG#o` | `KEYSCOPED#id` | |
//! | bundle | `ORG#o` | `BUNDLE#b` | `DUE#shard` / next change (absent if no change is to come) |
//! | mark of a deleted bundle (stays, also beside a new bundle with the same id) | `ORG#o` | `DELETED#b` | |
//! | mark of an org's time zone change | `ORG#o` | `REZONE` | `DUE#shard` / two minutes after the change |
//! | record of a closed day of an org, in UTC | `ORG#o` | `DAY#date` | |
//! | bundle transition | `BUNDLE#o#b` | `TRANSITION#at#version.nth#from-to` | `TRANSITIONS#o#day` / recorded at |
//! | number of times a customer redeems a bundle | `BUNDLE#o#b` | `CUSTOMER#c` | |
//! | churn model of an org, and the end of the last look back | `ORG#o` | `CHURN` | |
//! | churn prediction (TTL: two horizons) | `CUSTOMER#o#c` | `PREDICTION#date` | `PREDICTIONS#o#end of its horizon` / c |
//! | risk level of a customer (TTL: one horizon) | `CUSTOMER#o#c` | `RISK` | `RISK#o#level` / lifetime value, zero-padded |
//! | position of a sweep over all orgs that stopped before its end | `SWEEP#operation` | `POSITION` | |
//! | release of the zone rules by which bundles are evaluated, and the position of a change to a newer one | `SWEEP#transition` | `ZONES` | |
//! | time since which the next sweep over all orgs is awaited (also written by the state machine) | `SWEEP#operation` | `ENDED` | |
//! | bundle redemption, or the mark of a void that came first | `ORDER#o#order` | `BUNDLE#b` | `REDEMPTIONS#o#b` / redeemed at |
//!
//! All records of an order are in the order's partition.
//!
//! The version in the key of an entry is the version of the customer. A ledger is therefore listed in the order of its
//! commits, regardless of the clocks of the writers. `nth` is the place of the entry among the entries of one write.
//! The previous release wrote `ENTRY#version#kind#ref`. The index lists entries by time.
//!
//! The list of due items is divided into 16 shards, so that no single org or hour uses all the capacity of one
//! partition. A digest of the org and the bundle gives the shard of a bundle.

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use super::{
    attributes::{Item, text, text_attribute},
    error::StoreError,
};
use crate::domain::{
    bundle::transition::Transition,
    churn::risk::RiskLevel,
    ids::{AdjustmentId, BundleId, CustomerId, OrderId, OrgId, RefundId},
    ledger::Entry,
    lots::notice::ExpiryNotice,
    money::Money,
    org_key::{KeyKind, KeyReference},
    time,
};

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// A key in the index: the list and the sort key in the list.
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
pub(super) const DAY_PREFIX: &str = "DAY#";
const MANAGE_KEY_PREFIX: &str = "KEY#";
const SCOPED_KEY_PREFIX: &str = "KEYSCOPED#";
/// The beginning of the sort keys of all org keys, and of no other item of an org's partition.
pub(super) const ORG_KEYS_PREFIX: &str = "KEY";
const TIME_ZONE_CHANGE: &str = "REZONE";
pub(super) const ORGS: &str = "ORGS";

/// The number of lists that hold the due items.
pub const DUE_SHARDS: u8 = 16;

/// The longest sort key that `DynamoDB` accepts, in bytes.
pub(super) const SORT_KEY_BYTES_MAX: usize = 1024;

/// The sort key in the index of a customer without orders. It sorts before every date.
const NO_ORDERS: &str = "0000";

impl Key {
    pub(super) fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub(super) fn to_item(&self) -> Item {
        Item::from([("pk".into(), text(&self.pk)), ("sk".into(), text(&self.sk))])
    }

    pub(super) fn is_of(&self, item: &Item) -> bool {
        text_attribute(item, "pk") == self.pk && text_attribute(item, "sk") == self.sk
    }
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

/// The order in the key of an order's partition.
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

/// The customer to whose partition an item belongs.
pub(super) fn customer_of(org: &OrgId, item: &Item) -> Result<CustomerId, StoreError> {
    let pk = text_attribute(item, "pk");
    let id = pk.strip_prefix("CUSTOMER#").and_then(|id| id.strip_prefix(org.as_str())?.strip_prefix('#'));
    let id = id.and_then(|id| CustomerId::try_from(id.to_owned()).ok());
    id.ok_or_else(|| StoreError::unreadable("a customer's key", pk))
}

pub(super) fn customers_index_pk(org: &OrgId) -> String {
    format!("CUSTOMERS#{org}")
}

pub(super) fn customer_index_key(org: &OrgId, last_order_at: Option<DateTime<Utc>>) -> IndexKey {
    IndexKey { index_pk: customers_index_pk(org), index_sk: last_order_at.map_or_else(|| NO_ORDERS.into(), time::text) }
}

/// The index key of a customer with the sort key `index_sk`, if a customer can have that sort key.
pub(super) fn customer_index_key_at(org: &OrgId, index_sk: &str) -> Option<IndexKey> {
    let is_index_key = index_sk == NO_ORDERS || time::parse(index_sk).is_ok_and(|at| time::text(at) == index_sk);
    is_index_key.then(|| IndexKey { index_pk: customers_index_pk(org), index_sk: index_sk.to_owned() })
}

pub(super) fn entry(org: &OrgId, customer: &CustomerId, version: u64, nth: usize, entry: &Entry) -> Key {
    let (kind, reference) = (entry.kind.name(), entry.kind.reference());
    let position = entry_position(version, nth);
    Key::new(customer_partition(org, customer), format!("{position}#{kind}#{reference}"))
}

/// The beginning of the sort key of an entry. It sorts before the sort key, and after the entry before.
pub(super) fn entry_position(version: u64, nth: usize) -> String {
    format!("{ENTRY_PREFIX}{version:012}.{nth:02}")
}

/// The list of the entries that were written on a day in UTC.
pub(super) fn entries_index_pk(org: &OrgId, day: NaiveDate) -> String {
    format!("ACTIVITY#{org}#{day}")
}

pub(super) fn entry_index_key(org: &OrgId, at: DateTime<Utc>) -> IndexKey {
    IndexKey { index_pk: entries_index_pk(org, at.date_naive()), index_sk: time::text(at) }
}

pub(super) fn adjustment(org: &OrgId, customer: &CustomerId, id: &AdjustmentId) -> Key {
    Key::new(customer_partition(org, customer), format!("ONCE#adjustment#{id}"))
}

pub(super) fn expiry_notice(org: &OrgId, customer: &CustomerId, notice: &ExpiryNotice) -> Key {
    let (deadline, days) = (time::text(notice.deadline), notice.lead.days());
    Key::new(customer_partition(org, customer), format!("EXPIRING#{deadline}#{days}"))
}

pub(super) fn closed_day(org: &OrgId, date: NaiveDate) -> Key {
    Key::new(org_partition(org), format!("{DAY_PREFIX}{date}"))
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

/// The org and the bundle of a due item's key. The bundle of a time zone change is `None`.
pub(super) fn parse_due_key(pk: &str, sk: &str) -> Option<(OrgId, Option<BundleId>)> {
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

/// The partition that an item lists. A bundle lists its own partition. Every other item lists the partition in which it
/// is stored.
pub(super) fn partition_listed_by(item: &Item) -> Option<String> {
    let (pk, sk) = (item.get("pk")?.as_s().ok()?, item.get("sk")?.as_s().ok()?);
    match parse_due_key(pk, sk) {
        Some((org, Some(bundle))) => Some(bundle_partition(&org, &bundle)),
        _ => Some(pk.clone()),
    }
}

pub(super) fn transition(org: &OrgId, bundle: &BundleId, version: u64, nth: usize, transition: &Transition) -> Key {
    let Transition { from, to, at, .. } = transition;
    let (at, from, to) = (time::text(*at), from.name(), to.name());
    Key::new(bundle_partition(org, bundle), format!("{TRANSITION_PREFIX}{at}#{version:016}.{nth:02}#{from}-{to}"))
}

/// The bounds of the sort keys of a bundle's transitions after an instant. In a sort key `#` follows the instant, and
/// `$` is the character after `#`.
pub(super) fn transitions_after(at: DateTime<Utc>) -> [String; 2] {
    let first = format!("{TRANSITION_PREFIX}{}$", time::text(at));
    [first, TRANSITION_PREFIX.replace('#', "$")]
}

/// The list of the transitions that were recorded on a day in UTC.
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

pub(super) fn org_key(KeyReference { org, id, kind }: &KeyReference) -> Key {
    let prefix = match kind {
        KeyKind::Manage => MANAGE_KEY_PREFIX,
        KeyKind::Scoped => SCOPED_KEY_PREFIX,
    };
    Key::new(org_partition(org), format!("{prefix}{id}"))
}

/// The org key with a sort key.
pub(super) fn parse_org_key(org: &OrgId, sk: &str) -> Option<KeyReference> {
    let (kind, id) = match sk.strip_prefix(SCOPED_KEY_PREFIX) {
        Some(id) => (KeyKind::Scoped, id),
        None => (KeyKind::Manage, sk.strip_prefix(MANAGE_KEY_PREFIX)?),
    };
    Some(KeyReference { org: org.clone(), id: id.to_owned().try_into().ok()?, kind })
}

/// The position of an org key in the list of keys: the id of a key with the scope `manage`, as versions without scopes
/// have it, and the sort key of any other key.
pub(super) fn org_key_position(key: &KeyReference) -> String {
    match key.kind {
        KeyKind::Manage => key.id.to_string(),
        KeyKind::Scoped => org_key(key).sk,
    }
}

/// The key of the item at a position that [`org_key_position`] returned.
pub(super) fn org_key_at(org: &OrgId, position: &str) -> Option<Key> {
    let scoped = position.starts_with(SCOPED_KEY_PREFIX).then(|| parse_org_key(org, position));
    let manage = || parse_org_key(org, &format!("{MANAGE_KEY_PREFIX}{position}"));
    scoped.unwrap_or_else(manage).map(|key| org_key(&key))
}

pub(super) fn churn_model(org: &OrgId) -> Key {
    Key::new(org_partition(org), "CHURN")
}

pub(super) fn prediction(org: &OrgId, customer: &CustomerId, date: NaiveDate) -> Key {
    Key::new(customer_partition(org, customer), format!("PREDICTION#{date}"))
}

/// The index key of a prediction, in the list of the day on which its horizon ends.
pub(super) fn prediction_index_key(org: &OrgId, customer: &CustomerId, ends_on: NaiveDate) -> IndexKey {
    IndexKey { index_pk: predictions_index_pk(org, ends_on), index_sk: customer.to_string() }
}

pub(super) fn predictions_index_pk(org: &OrgId, ends_on: NaiveDate) -> String {
    format!("PREDICTIONS#{org}#{ends_on}")
}

pub(super) fn risk_level(org: &OrgId, customer: &CustomerId) -> Key {
    Key::new(customer_partition(org, customer), "RISK")
}

pub(super) fn risk_level_index_pk(org: &OrgId, level: RiskLevel) -> String {
    format!("RISK#{org}#{}", level.name())
}

/// The index key of a customer at risk, in the list of the risk level.
pub(super) fn risk_level_index_key(org: &OrgId, level: RiskLevel, lifetime_value: Money) -> IndexKey {
    IndexKey { index_pk: risk_level_index_pk(org, level), index_sk: format!("{:016}", lifetime_value.minor()) }
}

pub(super) fn sweep_position(operation: &str) -> Key {
    Key::new(format!("SWEEP#{operation}"), "POSITION")
}

pub(super) fn sweep_end(operation: &str) -> Key {
    Key::new(format!("SWEEP#{operation}"), "ENDED")
}

pub(super) fn zone_rules() -> Key {
    Key::new("SWEEP#transition".to_owned(), "ZONES")
}

pub(super) fn due_index_pk(shard: u8) -> String {
    format!("DUE#{shard:02}")
}

/// The index key of an item of an org that is due at an instant. `id` is the id of a bundle, or empty.
fn due_index_key(org: &OrgId, id: &str, at: DateTime<Utc>) -> IndexKey {
    let digest = Sha256::digest(format!("{org}#{id}"));
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
