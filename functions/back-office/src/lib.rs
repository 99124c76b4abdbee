//! The administrative API: orgs with their settings and keys, bundles, customers and their ledgers.

pub mod activity;
pub mod adjustments;
pub mod bundle_lists;
pub mod bundles;
pub mod customer_list;
pub mod customers;
pub mod keys;
pub mod liability;
pub mod loyalty;
pub mod orgs;
pub mod pages;
pub mod patch;
pub mod search;
pub mod view;

use activity::ListActivity;
use adjustments::Adjust;
use bundle_lists::{ListBundles, ListTransitions};
use bundles::{DeleteBundle, GetBundle, PutBundle, TransitionBundle};
use customer_list::ListCustomers;
use customers::{EraseCustomer, GetCustomer, PutCustomer};
use keys::{CreateKey, DeleteKey, ListKeys};
use liability::ListLiability;
use loyalty::{GetLoyalty, PutLoyalty};
use orgs::{DeleteOrg, GetOrg, ListOrgs, PutOrg};
use patch::PatchCustomer;
use search::SearchCustomers;

shared::function!(
    "back-office":
    list ListOrgs,
    plain PutOrg,
    plain GetOrg,
    plain DeleteOrg,
    plain PutLoyalty,
    plain GetLoyalty,
    list ListLiability,
    plain CreateKey,
    list ListKeys,
    plain DeleteKey,
    list ListBundles,
    plain PutBundle,
    plain GetBundle,
    plain DeleteBundle,
    plain TransitionBundle,
    list ListTransitions,
    list ListCustomers,
    list SearchCustomers,
    plain PutCustomer,
    plain PatchCustomer,
    plain GetCustomer,
    plain EraseCustomer,
    list ListActivity,
    money Adjust,
);
