//! Churn: a customer churns by placing no order within the coming `activeDays`.
//!
//! | to find | look in |
//! |---|---|
//! | the figures of a customer | [`features`] |
//! | the input of the statistical model, and the sample for its fit | [`observation`] |
//! | the statistical model: likelihood and probabilities | [`model`] |
//! | the model's parameters, by maximum likelihood | [`fit`] |
//! | a probability, and its risk level | [`risk`] |
//! | the score of a customer | [`score`] |
//! | the wording of a prediction, and its outcome | [`prediction`] |
//! | the accuracy of predictions | [`accuracy`] |
//!
//! Only these rules use floating-point numbers, an optimiser and a mathematical library, because their results are
//! estimates. The optimiser and the library do no I/O here, read no clock and draw no random numbers. Requests to a
//! language model are not a rule. The function that sends these requests contains their code.

pub mod accuracy;
pub mod features;
pub mod fit;
pub mod model;
pub mod observation;
pub mod prediction;
pub mod risk;
pub mod score;
