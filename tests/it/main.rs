//! The tests of the system. Each test has its own world, so tests run side by side.
//!
//! | to find | look in |
//! |---|---|
//! | orders that earn points and tiers, refunds | [`awards`] |
//! | points redeemed at checkout | [`points`] |
//! | bundles: definitions, redemptions, schedules, transitions | [`bundles`] |
//! | expired points and notices, closed days | [`expiry`] |
//! | the recalculation of tiers | [`tiers`] |
//! | churn predictions, the statistical model, Claude | [`churn`] |
//! | the weekly report | [`report`] |
//! | orgs, settings and customers in the back office | [`back_office`] |
//! | rules for every function: calls, credentials, faults, races, costs, versions | [`platform`] |
//! | the template, alarms, roles, the local stack, Cloud Run, `ctl` | [`infra`] |
//! | imports, layout and names in the repository | [`house`] |

mod awards;
mod back_office;
mod bundles;
mod churn;
mod expiry;
mod house;
mod infra;
mod platform;
mod points;
mod report;
mod tiers;
