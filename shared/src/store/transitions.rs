//! The transitions of bundles between statuses.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    attributes::{text, text_attribute},
    error::StoreError,
    items::{
        form,
        transition::{TransitionForm, unread_transition},
    },
    keys,
    pages::{PartitionList, query_until_found},
    rows::{HistoryRow, Page},
    table::Store,
    transact::Transaction,
};
use crate::{
    domain::{
        bundle::transition::{StatusUpdate, Transition},
        ids::{BundleId, OrgId},
        time,
    },
    outbound::ChangeEvent,
};

impl Store {
    /// A page of a bundle's transitions, newest first.
    pub async fn transitions(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<Transition>>, StoreError> {
        let list = PartitionList::history(keys::bundle_partition(org, bundle), keys::TRANSITION_PREFIX);
        self.partition_page(&list, after, limit, |item| {
            let read = form::read::<TransitionForm, _>("a transition", item.clone());
            Ok(HistoryRow::from_read(read, || unread_transition(&item)))
        })
        .await
    }

    /// The first transition of a bundle after an instant.
    pub async fn first_transition_after(
        &self,
        org: &OrgId,
        bundle: &BundleId,
        at: DateTime<Utc>,
    ) -> Result<Option<Transition>, StoreError> {
        let (pk, [from, to]) = (keys::bundle_partition(org, bundle), keys::transitions_after(at));
        let query = self
            .query(1)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(&pk))
            .expression_attribute_values(":from", text(&from))
            .expression_attribute_values(":to", text(&to));
        let found = query_until_found(query).await?.items.unwrap_or_default().into_iter().next();
        found.map(|item| form::read::<TransitionForm, _>("a transition", item)).transpose()
    }

    /// A page of the transitions of all bundles that were recorded on a day in UTC, oldest first. Each has the time at
    /// which it was recorded. An unreadable transition is `None`.
    pub async fn transitions_of_day(
        &self,
        org: &OrgId,
        day: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(Transition, DateTime<Utc>)>>, StoreError> {
        self.index_page(&keys::transitions_index_pk(org, day), None, after, limit, |item| {
            let recorded_at = time::parse(text_attribute(&item, "at"));
            let recorded_at = recorded_at.map_err(|reason| StoreError::unreadable("an index key", reason))?;
            Ok((form::read::<TransitionForm, _>("a transition", item)?, recorded_at))
        })
        .await
    }
}

impl Transaction<'_> {
    /// Appends the transitions of a status update. The same transaction writes the bundle with this version.
    pub(super) fn append_transitions(&mut self, update: &StatusUpdate, version: u64) -> Result<(), StoreError> {
        let (org, bundle) = (&self.org.id, &update.bundle.id);
        for (nth, transition) in update.transitions.iter().enumerate() {
            let key = keys::transition(org, bundle, version, nth, transition);
            let index_key = keys::transition_index_key(org, update.now);
            let event = ChangeEvent::of_transition(bundle, transition);
            self.create_with_event(&key, Some(&index_key), &TransitionForm::from(transition), event.as_ref())?;
        }
        Ok(())
    }
}
