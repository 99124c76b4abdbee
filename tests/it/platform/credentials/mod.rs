//! Credentials of a caller.
//!
//! | to find | look in |
//! |---|---|
//! | the deployment's secret | [`deployment_secret`] |
//! | keys of one org | [`org_keys`] |
//! | what the scope of a key allows | [`org_key_scopes`] |
//! | keys with a scope in the table: items, lists, revocation, other versions | [`scoped_key_items`] |
//! | helpers of these tests | [`support`] |

mod deployment_secret;
mod org_key_scopes;
mod org_keys;
mod scoped_key_items;
mod support;
