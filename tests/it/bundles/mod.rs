//! Bundles: definitions, schedules, redemptions, and the job that records status changes.
//!
//! | to find | look in |
//! |---|---|
//! | bundles created, edited, listed, deleted | [`definitions`] |
//! | dates without a time, products, known customers | [`dates`] |
//! | the status at an instant: vectors, random schedules, clock changes | [`schedule`] |
//! | the status changes that are recorded | [`status_updates`] |
//! | redemptions, voids, eligibility, history | [`redemptions`] |
//! | events of orders and cancellations | [`redemption_events`] |
//! | orders that redeem a bundle which has changed since | [`sold_while_on`] |
//! | the job | [`transitions`] |
//! | an org that changes its time zone | [`zone_changes`] |
//! | time zone data | [`zones`] |

mod dates;
mod definitions;
mod redemption_events;
mod redemptions;
mod schedule;
mod sold_while_on;
mod status_updates;
mod transitions;
mod zone_changes;
mod zones;
