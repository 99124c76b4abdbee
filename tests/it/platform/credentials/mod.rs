//! Credentials of a caller.
//!
//! | to find | look in |
//! |---|---|
//! | the deployment's secret | [`deployment_secret`] |
//! | keys of one org | [`org_keys`] |

mod deployment_secret;
mod org_keys;
