//! The back office.
//!
//! | to find | look in |
//! |---|---|
//! | orgs and their settings | [`orgs`] |
//! | customers and their activity | [`customers`] |
//! | customers found by a contact or a name | [`contacts`] |
//! | erased customers | [`erasure`] |
//! | helpers of these tests | [`support`] |

mod contacts;
mod customers;
mod erasure;
mod orgs;
mod support;
