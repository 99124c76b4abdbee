//! The back office.
//!
//! | to find | look in |
//! |---|---|
//! | orgs and their settings | [`orgs`] |
//! | customers and their activity | [`customers`] |
//! | customers found by a contact or a name | [`contacts`] |
//! | helpers of these tests | [`support`] |

mod contacts;
mod customers;
mod orgs;
mod support;
