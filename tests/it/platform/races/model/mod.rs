//! Random awards, refunds, redemptions, voids, holds and adjustments, repeated, out of order, with faults and while the
//! clock moves, against a simple model.
//!
//! | to find | look in |
//! |---|---|
//! | the test: random operations are sent, and each answer is compared | [`play`] |
//! | random operations | [`acts`] |
//! | what each operation does to an order | [`programme`] |
//! | what it does to the points of a customer | [`purse`] |

mod acts;
mod play;
mod programme;
mod purse;
