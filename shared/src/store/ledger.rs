//! The ledgers of customers.

use chrono::NaiveDate;

use super::{
    error::StoreError,
    items::{
        form,
        ledger_entry::{EntryForm, unread_entry},
    },
    keys,
    pages::PartitionList,
    rows::{HistoryRow, Page},
    table::Store,
    transact::Transaction,
};
use crate::{
    domain::{
        ids::{CustomerId, OrgId},
        ledger::Entry,
        lots::due::DUE_ENTRIES_MAX,
    },
    outbound::ChangeEvent,
};

impl Store {
    /// A page of a customer's ledger, newest first.
    pub async fn ledger(
        &self,
        org: &OrgId,
        customer: &CustomerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<Entry>>, StoreError> {
        let list = PartitionList::history(keys::customer_partition(org, customer), keys::ENTRY_PREFIX);
        self.partition_page(&list, after, limit, |item| {
            let read = form::read::<EntryForm, _>("a ledger entry", item.clone());
            Ok(HistoryRow::from_read(read, || unread_entry(&item)))
        })
        .await
    }

    /// The position in a ledger after which those `nth` entries follow that are the oldest of what was due when the
    /// customer had a version, as far as they are recorded by now. The next writes of a customer record what is due.
    #[must_use]
    pub fn due_entry_position(version: u64, nth: usize) -> String {
        // More than a write has room for are recorded by several.
        let writes = u64::try_from(nth / DUE_ENTRIES_MAX).unwrap_or(u64::MAX);
        keys::entry_position(version.saturating_add(1).saturating_add(writes), nth % DUE_ENTRIES_MAX)
    }

    /// A page of the ledger entries that were written on a day in UTC, oldest first. An unreadable entry is `None`.
    pub async fn entries_of_day(
        &self,
        org: &OrgId,
        day: NaiveDate,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Option<(CustomerId, Entry)>>, StoreError> {
        self.index_page(&keys::entries_index_pk(org, day), None, after, limit, |item| {
            Ok((keys::customer_of(org, &item)?, form::read::<EntryForm, _>("a ledger entry", item)?))
        })
        .await
    }
}

impl Transaction<'_> {
    /// Appends entries to the ledger of a customer. The same transaction writes the customer with this version.
    pub(super) fn append_entries(
        &mut self,
        customer: &CustomerId,
        version: u64,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        for (nth, entry) in entries.iter().enumerate() {
            let key = keys::entry(&self.org.id, customer, version, nth, entry);
            let index_key = keys::entry_index_key(&self.org.id, entry.at);
            let event = ChangeEvent::of_entry(customer, entry);
            self.create_with_event(&key, Some(&index_key), &EntryForm::from(entry), Some(&event))?;
        }
        Ok(())
    }
}
