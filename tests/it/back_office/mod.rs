//! The back office.
//!
//! | to find | look in |
//! |---|---|
//! | orgs and their settings | [`orgs`] |
//! | customers and their activity | [`customers`] |
//! | helpers of these tests | [`support`] |

mod customers;
mod orgs;
mod support;
