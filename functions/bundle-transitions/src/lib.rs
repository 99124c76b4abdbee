//! Brings the recorded status of bundles up to date with the clock, every 5 minutes and on request.
//!
//! `shared::domain::bundle::timeline` determines the status of a bundle at an instant.
//! `shared::domain::bundle::transition` determines the transitions to record. Listings and metrics depend on this
//! function. Redemptions do not. This job runs often, so it also reports the age of the last run of the rarer jobs.

pub mod answer;
mod progress;
mod rules;
mod run;
pub mod transition;
mod watch;

use transition::TransitionBundles;

shared::function!("bundle-transitions": job TransitionBundles);
