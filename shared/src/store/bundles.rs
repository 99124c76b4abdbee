//! Bundles and their transitions: read, listed, found when due, and written.
//!
//! A bundle's terms and recorded status change under its version; its counters under conditions of their own, because
//! orders for the same bundle must not make each other fail. So no write of the one ever carries the other along.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    HistoryRow, Item, Listed, Page, Row, Store, StoreError, Transaction, Versioned,
    items::{
        self, BundleForm, DeletedForm, EventForm, OrgForm, RecordedForm, TermsForm, TimeZoneChangeForm, TransitionForm,
    },
    keys::{self, text},
    pages::{ask, page, part, start_after},
    transact::{Change, number},
};
use crate::domain::{
    bundle::{
        state::Bundle,
        transition::{StatusUpdate, Transition},
    },
    ids::{BundleId, OrgId},
    org::Org,
    time,
    zone::Zone,
};

/// How long after a change of an org's zone the job looks at its bundles once more: longer than another process may know
/// the old one, and a call may take.
const TIME_ZONE_CHANGE_DELAY: TimeDelta = TimeDelta::minutes(2);

/// Something whose time has come.
#[derive(Debug, Clone)]
pub struct Due {
    /// The org.
    pub org: OrgId,
    /// What of it.
    pub what: DueItem,
}

/// What can be due.
#[derive(Debug, Clone)]
pub enum DueItem {
    /// A bundle, as the index has it: it may lag.
    Bundle(ListedBundle),
    /// All bundles of an org whose time zone has changed.
    TimeZoneChange(TimeZoneChange),
}

/// A bundle in a list.
pub type ListedBundle = Listed<BundleId, Box<Versioned<Bundle>>>;

/// That an org's zone has changed: kept until all its bundles are judged by the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneChange(String);

impl Store {
    /// A bundle as it is now, with its org as it is now.
    pub async fn bundle_of_org(
        &self,
        org: &OrgId,
        bundle: &BundleId,
    ) -> Result<(Option<Versioned<Org>>, Option<Versioned<Bundle>>), StoreError> {
        let [owner, item] = self.get([&keys::org(org), &keys::bundle(org, bundle)]).await?;
        let owner = owner.map(|item| items::read_versioned::<OrgForm, _>("an org", item)).transpose()?;
        Ok((owner, item.map(read_bundle).transpose()?))
    }

    /// A bundle as it is now.
    pub async fn bundle(&self, org: &OrgId, bundle: &BundleId) -> Result<Option<Versioned<Bundle>>, StoreError> {
        let [item] = self.get([&keys::bundle(org, bundle)]).await?;
        item.map(read_bundle).transpose()
    }

    /// A page of an org's bundles, by id.
    pub async fn bundles(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedBundle>, StoreError> {
        let start = after.map(|id| {
            let id = BundleId::try_from(id.to_owned()).map_err(|_| StoreError::InvalidPosition)?;
            Ok::<_, StoreError>(keys::bundle(org, &id).to_item())
        });
        let query = self.query_partition(&keys::org_partition(org), keys::BUNDLE_PREFIX, limit);
        page(query.consistent_read(true).set_exclusive_start_key(start.transpose()?), |item| {
            let (_, id) = due_parts(&item)?;
            let id = id.ok_or_else(|| StoreError::unreadable("a bundle's key", "it names none"))?;
            Ok(Row { position: id.to_string(), value: read_listed(id, item) })
        })
        .await
    }

    /// A page of a bundle's transitions, newest first.
    pub async fn transitions(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<Transition>>, StoreError> {
        let pk = keys::bundle_partition(org, bundle);
        let start = after.map(|sk| {
            let key = keys::Key { pk: pk.clone(), sk: sk.to_owned() };
            let is_transition = sk.starts_with(keys::TRANSITION_PREFIX) && sk.len() <= keys::LONGEST_SORT_KEY;
            if is_transition { Ok(key.to_item()) } else { Err(StoreError::InvalidPosition) }
        });
        let query = self.query_partition(&pk, keys::TRANSITION_PREFIX, limit).scan_index_forward(false);
        page(query.consistent_read(true).set_exclusive_start_key(start.transpose()?), |item| {
            let position = part(&item, "sk").to_owned();
            let read = items::read::<TransitionForm, _>("a transition", item.clone());
            Ok(Row { value: HistoryRow::of(read, || items::unread_transition(&item)), position })
        })
        .await
    }

    /// The first of a bundle's transitions after an instant.
    pub async fn transition_after(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        at: DateTime<Utc>,
    ) -> Result<Option<Transition>, StoreError> {
        let (pk, [from, to]) = (keys::bundle_partition(org, bundle), keys::transitions_after(at));
        let query =
            self.query(1).consistent_read(true).key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to");
        let query = query.expression_attribute_values(":pk", text(&pk));
        let query =
            query.expression_attribute_values(":from", text(&from)).expression_attribute_values(":to", text(&to));
        let found = ask(query).await?.items.unwrap_or_default().into_iter().next();
        found.map(|item| items::read::<TransitionForm, _>("a transition", item)).transpose()
    }

    /// Whether an org had a bundle with this id that was deleted; it may have another by now.
    pub async fn bundle_was_deleted(&self, org: &OrgId, bundle: &BundleId) -> Result<bool, StoreError> {
        let [mark] = self.get([&keys::deleted_bundle(org, bundle)]).await?;
        Ok(mark.is_some())
    }

    /// A page of what is due in one shard up to an instant, the longest due first.
    pub async fn due(
        &self,
        shard: u8,
        until: DateTime<Utc>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Due>, StoreError> {
        let list = keys::due_index_pk(shard);
        let start = after.map(|position| {
            let [at, pk, sk] =
                serde_json::from_str::<[String; 3]>(position).map_err(|_| StoreError::InvalidPosition)?;
            let is_due = time::parse(&at).is_ok_and(|parsed| time::text(parsed) == at && parsed <= until);
            keys::due_parts(&pk, &sk).filter(|_| is_due).ok_or(StoreError::InvalidPosition)?;
            let index_key = keys::IndexKey { index_pk: list.clone(), index_sk: at };
            Ok::<_, StoreError>(start_after(&keys::Key { pk, sk }, &index_key))
        });
        let query = self
            .query_index(&list, limit)
            .key_condition_expression("#list = :list AND #at <= :until")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":until", text(&time::text(until)));
        page(query.set_exclusive_start_key(start.transpose()?), |item| {
            let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
            let position = [part("at"), part("pk"), part("sk")];
            let [at, ..] = position.clone();
            Ok(Row { value: read_due(item, at)?, position: serde_json::json!(position).to_string() })
        })
        .await
    }

    /// Removes the transitions that are left of a bundle that is gone. One that is made anew meanwhile keeps its own:
    /// what was listed before the bundle was seen to be gone is not of any later one.
    pub async fn erase_transitions(&self, org: &OrgId, bundle: &BundleId) -> Result<(), StoreError> {
        loop {
            let query = self.query_partition(&keys::bundle_partition(org, bundle), keys::TRANSITION_PREFIX, 25);
            let found = ask(query.consistent_read(true).projection_expression("pk, sk")).await?;
            let left = found.items.unwrap_or_default();
            if left.is_empty() || self.bundle(org, bundle).await?.is_some() {
                return Ok(());
            }
            self.delete_all(left).await?;
        }
    }

    /// Removes the mark that an org's zone has changed, unless it has changed again.
    pub async fn complete_time_zone_change(&self, org: &Org, mark: &TimeZoneChange) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.delete(&keys::time_zone_change(&org.id), Change::default().require("at", "=", text(&mark.0)))?;
        transaction.commit().await
    }
}

pub(super) fn read_bundle(item: Item) -> Result<Versioned<Bundle>, StoreError> {
    items::read_versioned::<BundleForm, _>("a bundle", item)
}

fn due_parts(item: &Item) -> Result<(OrgId, Option<BundleId>), StoreError> {
    let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    keys::due_parts(part("pk"), part("sk")).ok_or_else(|| StoreError::unreadable("a bundle's key", part("sk")))
}

fn read_listed(bundle: BundleId, item: Item) -> ListedBundle {
    Listed::new(bundle, read_bundle(item).map(Box::new))
}

fn read_due(item: Item, at: String) -> Result<Due, StoreError> {
    let (org, bundle) = due_parts(&item)?;
    let what = match bundle {
        None => DueItem::TimeZoneChange(TimeZoneChange(at)),
        Some(bundle) => DueItem::Bundle(read_listed(bundle, item)),
    };
    Ok(Due { org, what })
}

impl Transaction<'_> {
    /// Adds a bundle that must not exist yet, to an org that must still be at `org_version`.
    pub fn create_bundle(&mut self, made: &StatusUpdate, org_version: u64) -> Result<(), StoreError> {
        let org = &self.org.id;
        let index_key = made.due.map(|due| keys::bundle_index_key(org, &made.bundle.id, due));
        let key = keys::bundle(org, &made.bundle.id);
        // Where one with this id was deleted, nobody who has read that one may take this one for it.
        let version = u64::try_from(made.bundle.recorded.at.timestamp_millis()).unwrap_or_default();
        self.create(&key, index_key.as_ref(), &BundleForm::new(&made.bundle, version))?;
        self.require_org(org_version)
    }

    /// Writes the status of a bundle that must still be as it was read, and appends its transitions.
    pub fn record_status(&mut self, update: &StatusUpdate, before: &Versioned<Bundle>) -> Result<(), StoreError> {
        let change = self.status_change(update, before)?;
        self.update(&keys::bundle(&self.org.id, &update.bundle.id), change)?;
        self.append_transitions(update, before.next_version())
    }

    /// The same, and its terms. Orders may count meanwhile, as long as that does not sell it out or exceed the limit.
    pub fn edit_bundle(&mut self, update: &StatusUpdate, before: &Versioned<Bundle>) -> Result<(), StoreError> {
        let bundle = &update.bundle;
        let mut change = self.status_change(update, before)?;
        let terms = TermsForm::new(&bundle.terms, bundle.recorded.zone);
        change = change.set("terms", items::rewrite_part("terms", &terms, &before.image)?);
        if let Some(max) = bundle.terms.max_redemptions {
            let comparison = if bundle.is_sold_out() { "=" } else { "<" };
            change = change.require("redemptions", comparison, number(max.get()));
        }
        self.update(&keys::bundle(&self.org.id, &bundle.id), change)?;
        self.append_transitions(update, before.next_version())
    }

    /// Removes a bundle that must still be at `version` and must never have been redeemed, and marks that it was there.
    pub fn delete_bundle(&mut self, bundle: &BundleId, version: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mark = keys::deleted_bundle(&self.org.id, bundle);
        self.upsert(&mark, None, &DeletedForm::new(bundle.clone(), now), None)?;
        let never = Change::default().require("version", "=", number(version));
        let never = never.require("ever", "=", aws_sdk_dynamodb::types::AttributeValue::Bool(false));
        self.delete(&keys::bundle(&self.org.id, bundle), never)
    }

    /// The org must still be at `version`: nothing is added to one that is being deleted, or judged by a zone that it no
    /// longer has.
    pub fn require_org(&mut self, version: u64) -> Result<(), StoreError> {
        self.check(&keys::org(&self.org.id), Change::default().require("version", "=", number(version)))
    }

    /// Marks that the org's zone has changed at `now`. The job looks at the mark when whoever had read the old zone is
    /// done with it.
    pub(super) fn record_time_zone_change(&mut self, zone: Zone, now: DateTime<Utc>) -> Result<(), StoreError> {
        let org = &self.org.id;
        let index_key = keys::time_zone_change_index_key(org, now + TIME_ZONE_CHANGE_DELAY);
        self.upsert(&keys::time_zone_change(org), Some(&index_key), &TimeZoneChangeForm::new(zone), None)
    }

    /// The change of a bundle's recorded status, of its place among what is due, and of its version.
    pub(super) fn status_change(
        &self,
        update: &StatusUpdate,
        before: &Versioned<Bundle>,
    ) -> Result<Change, StoreError> {
        let StatusUpdate { bundle, due, .. } = update;
        let index_key = due.map(|due| keys::bundle_index_key(&self.org.id, &bundle.id, due));
        let recorded = items::rewrite_part("recorded", &RecordedForm::from(bundle.recorded), &before.image)?;
        Ok(Change::default()
            .set("recorded", recorded)
            .set("version", number(before.next_version()))
            .index_key(index_key.as_ref())
            .require("version", "=", number(before.version)))
    }

    /// Appends the transitions that a write makes by which the bundle gets this version.
    pub(super) fn append_transitions(&mut self, update: &StatusUpdate, version: u64) -> Result<(), StoreError> {
        for (nth, transition) in update.transitions.iter().enumerate() {
            let key = keys::transition(&self.org.id, &update.bundle.id, version, nth, transition);
            let told = EventForm::of_transition(&self.org.id, &update.bundle.id, transition);
            let (form, index_key) =
                (TransitionForm::from(transition), keys::transition_index_key(&self.org.id, update.now));
            self.create_with_event(&key, Some(&index_key), &form, told.as_ref())?;
        }
        Ok(())
    }
}
