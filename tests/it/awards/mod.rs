//! Orders earn points and tiers, and refunds take points back.
//!
//! | to find | look in |
//! |---|---|
//! | an order that earns points and a tier | [`awarding`] |
//! | earning rates, currencies, tiers | [`earning`] |
//! | orders that change | [`amendments`] |
//! | customers whom their first order enrols | [`enrolment`] |
//! | refunds | [`refunds`] |
//! | voided refunds | [`refund_voids`] |
//! | the order dates stored with a customer | [`order_history`] |
//! | the rules: vectors and random amounts | [`rules`] |

mod amendments;
mod awarding;
mod earning;
mod enrolment;
mod order_history;
mod refund_voids;
mod refunds;
mod rules;
