//! The ledger entries of what the clock has done to an account.

use chrono::{DateTime, Utc};

use crate::domain::{customer::Customer, ledger::Entry};

/// Applies to a customer what is due by `now`. Returns the entries, each at its own instant.
pub fn apply_due(customer: &mut Customer, now: DateTime<Utc>) -> Vec<Entry> {
    customer.account.advance(now).into_iter().map(Entry::from).collect()
}

/// The largest number of due entries that one write records. A transaction of `DynamoDB` has 100 items. The rest of them
/// is left for what else an operation writes.
pub const DUE_ENTRIES_MAX: usize = 80;

/// Applies the first [`DUE_ENTRIES_MAX`] of the entries that are due by `now`. Returns `None` if no more are due, so that
/// the next write of the customer has room for them.
#[must_use]
pub fn apply_first_due(customer: &Customer, now: DateTime<Utc>) -> Option<(Customer, Vec<Entry>)> {
    if due_entries(customer, now).len() <= DUE_ENTRIES_MAX {
        return None;
    }
    let mut customer = customer.clone();
    let expired = customer.account.advance_at_most(now, DUE_ENTRIES_MAX);
    Some((customer, expired.into_iter().map(Entry::from).collect()))
}

/// The entries that are due by `now` and not recorded yet, in the order of time.
#[must_use]
pub fn due_entries(customer: &Customer, now: DateTime<Utc>) -> Vec<Entry> {
    apply_due(&mut customer.clone(), now)
}
