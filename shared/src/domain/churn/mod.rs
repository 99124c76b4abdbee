//! Who is about to leave: churn is no order in the coming `activeDays`.
//!
//! | to find | look in |
//! |---|---|
//! | what is known about a customer, in figures | [`features`] |
//! | what the statistical model looks at, and whom it is fitted on | [`observation`] |
//! | the statistical model: likelihood, and what it says of a customer | [`model`] |
//! | its parameters, by maximum likelihood | [`fit`] |
//! | a probability, and the risk level that it is | [`risk`] |
//! | a customer's score | [`score`] |
//! | what is predicted of a customer, in which words, and what came of it | [`prediction`] |
//! | how good probabilities were, once it is known what happened | [`accuracy`] |
//!
//! Of the rules, these alone calculate in floating point: what they answer is an estimate. They alone use an optimiser
//! and a mathematical library too, neither of which does any I/O, reads a clock or draws a random number here. Asking a
//! language model is not a rule and is left to the function that does it.

pub mod accuracy;
pub mod features;
pub mod fit;
pub mod model;
pub mod observation;
pub mod prediction;
pub mod risk;
pub mod score;
