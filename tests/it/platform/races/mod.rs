//! Callers at the same time.
//!
//! | to find | look in |
//! |---|---|
//! | many writers of one customer | [`customer`] |
//! | orders for the last units of a bundle | [`sold_out`] |
//! | orders for an org that is being deleted | [`deleted_orgs`] |
//! | a batch read that is not one snapshot | [`torn_reads`] |
//! | random operations against a model | [`model`] |

mod customer;
mod deleted_orgs;
mod model;
mod sold_out;
mod torn_reads;
