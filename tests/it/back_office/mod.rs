//! The back office.
//!
//! | to find | look in |
//! |---|---|
//! | orgs, settings, customers | [`orgs`] |

mod orgs;
