//! Orgs, customers, ledger entries and bundles as answers show them.
//!
//! Values that depend on the current date are computed here and never stored.

mod bundle;
mod customer;
mod ledger;
mod org;

pub(crate) use bundle::BundleView;
pub(crate) use customer::CustomerView;
pub(crate) use ledger::EntryView;
pub(crate) use org::OrgView;
