//! The erasure of a customer: a tombstone stays, so that nothing brings the customer back unasked.

use chrono::{DateTime, Utc};

use crate::domain::{
    customer::{Customer, CustomerProfile, Erasure},
    ids::AdjustmentId,
    ledger::{Entry, EntryKind},
    lots::due::apply_due,
    text::SingleLine,
};

/// The id and the reason in the last entry of an erased customer.
const ERASED: &str = "erased";

/// Erases a customer. One entry brings the balance to 0, holds end, and all figures and personal data are gone. The
/// entries stay and still add up. Returns the tombstone and the new entries.
#[must_use]
pub fn erase(customer: &Customer, now: DateTime<Utc>) -> (Customer, Vec<Entry>) {
    let mut customer = customer.clone();
    let mut entries = apply_due(&mut customer, now);
    let points = customer.points().negated();
    // What is about an order is judged by when the order was fulfilled, which may be ahead.
    let at = customer.last_order_at().map_or(now, |last| last.max(now));
    let erasure = Some(Erasure { at, is_over: false });
    let tombstone = Customer { erasure, ..Customer::new(customer.id, CustomerProfile::default()) };
    let (adjustment_id, reason) = (AdjustmentId::from_static(ERASED), SingleLine::from_static(ERASED));
    let kind = EntryKind::PointsAdjusted { adjustment_id, reason };
    entries.push(Entry::new(&tombstone, points, kind, now));
    (tombstone, entries)
}

/// Whether nothing but a tombstone is left of a customer. A release that knows no erasures may have written more.
#[must_use]
pub fn is_complete(customer: &Customer) -> bool {
    let tombstone = Customer::new(customer.id.clone(), CustomerProfile::default());
    customer.is_erased() && *customer == Customer { erasure: customer.erasure, ..tombstone }
}

/// Enrols an erased id anew, with nothing.
#[must_use]
pub fn enrol_anew(tombstone: &Customer, profile: CustomerProfile) -> Customer {
    let erasure = tombstone.erasure.map(|erasure| Erasure { is_over: true, ..erasure });
    Customer { erasure, ..Customer::new(tombstone.id.clone(), profile) }
}
