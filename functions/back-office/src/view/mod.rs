//! Orgs, customers, ledger entries and bundles as answers show them.
//!
//! Values that depend on the current date are computed here and never stored.

mod bundle;
mod customer;
mod ledger;
mod org;

pub use bundle::{BundleView, ProductView, ScheduleView};
pub use customer::{ChurnView, CustomerView};
pub use ledger::{EntryDetails, EntryKindView, EntryView};
pub use org::OrgView;
