//! Every request to the store meets every fault.
//!
//! | to find | look in |
//! |---|---|
//! | awards, refunds, adjustments, points redemptions | [`points`] |
//! | holds and their ends, points that expire | [`points_in_time`] |
//! | bundles and their redemptions | [`bundles`] |
//! | customers and their look-ups | [`customers`] |
//! | jobs | [`jobs`] |
//! | a store that fails, unreadable items, incomplete batches | [`store`] |
//! | helpers of these tests | [`support`] |

mod bundles;
mod customers;
mod jobs;
mod points;
mod points_in_time;
mod store;
mod support;
