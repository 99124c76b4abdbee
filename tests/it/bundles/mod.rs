//! Bundles: what they offer, when they are on, who redeems them.
//!
//! | to find | look in |
//! |---|---|
//! | bundles created, edited, listed, deleted | [`definitions`] |
//! | schedules in days, products, known customers | [`dates`] |
//! | the status of a bundle at an instant, against the vectors | [`schedule`] |
//! | redemptions, voids, eligibility, history | [`redemptions`] |
//! | orders that redeem after a bundle has changed | [`sold_while_on`] |
//! | the job that records status changes | [`transitions`] |
//! | time zone rules | [`zones`] |

mod dates;
mod definitions;
mod redemptions;
mod schedule;
mod sold_while_on;
mod transitions;
mod zones;
