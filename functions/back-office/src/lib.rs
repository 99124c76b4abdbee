//! The administrative API: orgs with their settings and keys, bundles, customers and their ledgers.

mod adjustments;
mod bundles;
mod customers;
mod keys;
mod loyalty;
mod orgs;
mod pages;
mod view;

use shared::{
    host::Function,
    inbound::operation::{Callers, Operation},
};

/// The function.
pub const FUNCTION: Function = Function {
    name: "back-office",
    operations: &[
        (Operation::new("listOrgs", "GET", "/orgs").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(orgs::list(context, call))
        }),
        (Operation::new("putOrg", "PUT", "/orgs/{orgId}").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(orgs::put(context, call))
        }),
        (Operation::new("getOrg", "GET", "/orgs/{orgId}").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(orgs::get(context, call))
        }),
        (Operation::new("deleteOrg", "DELETE", "/orgs/{orgId}").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(orgs::delete(context, call))
        }),
        (Operation::new("putLoyalty", "PUT", "/orgs/{orgId}/loyalty").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(loyalty::put(context, call))
        }),
        (Operation::new("getLoyalty", "GET", "/orgs/{orgId}/loyalty").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(loyalty::get(context, call))
        }),
        (Operation::new("postKey", "POST", "/orgs/{orgId}/keys").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(keys::post(context, call))
        }),
        (Operation::new("listKeys", "GET", "/orgs/{orgId}/keys").callers(Callers::DEPLOYMENT), |context, call| {
            Box::pin(keys::list(context, call))
        }),
        (
            Operation::new("deleteKey", "DELETE", "/orgs/{orgId}/keys/{keyId}").callers(Callers::DEPLOYMENT),
            |context, call| Box::pin(keys::delete(context, call)),
        ),
        (Operation::new("listBundles", "GET", "/orgs/{orgId}/bundles").callers(Callers::READ), |context, call| {
            Box::pin(bundles::list(context, call))
        }),
        (Operation::new("putBundle", "PUT", "/orgs/{orgId}/bundles/{bundleId}"), |context, call| {
            Box::pin(bundles::put(context, call))
        }),
        (
            Operation::new("getBundle", "GET", "/orgs/{orgId}/bundles/{bundleId}").callers(Callers::READ),
            |context, call| Box::pin(bundles::get(context, call)),
        ),
        (Operation::new("deleteBundle", "DELETE", "/orgs/{orgId}/bundles/{bundleId}"), |context, call| {
            Box::pin(bundles::delete(context, call))
        }),
        (Operation::new("transitionBundle", "POST", "/orgs/{orgId}/bundles/{bundleId}/transition"), |context, call| {
            Box::pin(bundles::transition(context, call))
        }),
        (
            Operation::new("listTransitions", "GET", "/orgs/{orgId}/bundles/{bundleId}/transitions")
                .callers(Callers::READ),
            |context, call| Box::pin(bundles::transitions(context, call)),
        ),
        (Operation::new("listCustomers", "GET", "/orgs/{orgId}/customers").callers(Callers::READ), |context, call| {
            Box::pin(customers::list(context, call))
        }),
        (Operation::new("putCustomer", "PUT", "/orgs/{orgId}/customers/{customerId}"), |context, call| {
            Box::pin(customers::put(context, call))
        }),
        (
            Operation::new("getCustomer", "GET", "/orgs/{orgId}/customers/{customerId}")
                .callers(Callers::READ_AND_TILL),
            |context, call| Box::pin(customers::get(context, call)),
        ),
        (Operation::new("eraseCustomer", "DELETE", "/orgs/{orgId}/customers/{customerId}"), |context, call| {
            Box::pin(customers::erase(context, call))
        }),
        (
            Operation::new("listActivity", "GET", "/orgs/{orgId}/customers/{customerId}/activity")
                .callers(Callers::READ),
            |context, call| Box::pin(customers::activity(context, call)),
        ),
        (Operation::new("adjust", "POST", "/orgs/{orgId}/customers/{customerId}/adjustments"), |context, call| {
            Box::pin(adjustments::post(context, call))
        }),
    ],
};
