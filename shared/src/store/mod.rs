//! The only room that knows `DynamoDB`: one table, one index, one client.
//!
//! | to find | look in |
//! |---|---|
//! | the keys of every kind of item | [`keys`], [`lookup_keys`] |
//! | the stored forms of values | [`items`] |
//! | attributes of an item | [`attributes`] |
//! | the store's handle, batch reads, values with their version | [`table`] |
//! | all-or-nothing writes | [`transact`] |
//! | pages of a list: their queries and positions, their rows | [`pages`], [`rows`] |
//! | retries of unprocessed batches | [`batch`] |
//! | the client: trust store, time-outs, retries | [`connect`] |
//! | the values that are cached for a minute | [`cache`] |
//! | the errors of the store, and of a cancelled transaction | [`error`] |
//! | orgs, their keys and their deletion | [`orgs`], [`org_keys`], [`org_deletion`] |
//! | customers, their look-ups and their ledgers | [`customers`], [`contacts`], [`adjustments`], [`ledger`] |
//! | closed days of orgs, notices of points that expire soon | [`days`], [`expiry_notices`] |
//! | orders: headers, awards, refunds | [`order_headers`], [`awards`], [`refunds`] |
//! | bundles, their transitions, and due items | [`bundles`], [`transitions`], [`due`] |
//! | redemptions of bundles and points | [`bundle_redemptions`], [`points_redemptions`], [`redemption_states`] |
//! | churn predictions and models | [`predictions`], [`churn_models`] |
//! | sweeps over all orgs | [`sweeps`] |
//! | evaluations of all bundles after a time zone change or by newer zone rules | [`time_zone_changes`], [`zone_rules`] |
//!
//! The file of a kind of item holds its reads and its writes. The stored form is in [`items`].
//!
//! There is no store trait and no in-memory fake, because a fake would not fail as the service does. Tests replace the
//! service behind the wire protocol instead. The same client calls an embedded engine, `DynamoDB` Local or `DynamoDB`,
//! and tests inject faults in between.

mod adjustments;
mod attributes;
mod awards;
mod batch;
mod bundle_redemptions;
mod bundles;
mod cache;
mod churn_models;
mod connect;
mod contacts;
mod customers;
mod days;
mod due;
mod error;
mod expiry_notices;
mod items;
mod keys;
mod ledger;
mod lookup_keys;
mod order_headers;
mod org_deletion;
mod org_keys;
mod orgs;
mod pages;
mod points_redemptions;
mod predictions;
mod redemption_states;
mod refunds;
mod rows;
mod sweeps;
mod table;
mod time_zone_changes;
mod transact;
mod transitions;
mod zone_rules;

pub use awards::AwardContext;
pub use bundle_redemptions::BundleRedemptionContext;
pub use bundles::ListedBundle;
pub use connect::{client, local_client};
pub use contacts::ContactLookups;
pub use customers::ListedCustomer;
pub use days::DayRange;
pub use due::{Due, DueItem};
pub use error::StoreError;
pub use keys::DUE_SHARDS;
pub use org_deletion::OrgDeletion;
pub use points_redemptions::PointsRedemptionContext;
pub use refunds::RefundContext;
pub use rows::{HistoryRow, Listed, Page, Row, Unread};
pub use sweeps::SweepWatch;
pub use table::{Store, Versioned};
pub use time_zone_changes::TimeZoneChange;
pub use transact::Transaction;
pub use zone_rules::ZoneMarking;
