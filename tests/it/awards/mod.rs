//! Orders earn points, and refunds take them back.
//!
//! | to find | look in |
//! |---|---|
//! | an order that earns points and a tier | [`awarding`] |
//! | earning rates, currencies, tiers in force | [`earning`] |
//! | refunds | [`refunds`] |
//! | refunds that are voided | [`refund_voids`] |
//! | order dates kept with a customer | [`order_history`] |
//! | the rules against the vectors and random input | [`rules`] |

mod awarding;
mod earning;
mod order_history;
mod refund_voids;
mod refunds;
mod rules;
