//! Recalculates every customer's tier: daily, and on request.
//!
//! - `shared::domain::tier` determines the tier that a customer holds at an instant.
//! - `shared::domain::recalculation` determines the changes of a recalculation.
//! - `shared::jobs::sweep` splits a run of any size into calls.

pub mod answer;
pub mod recalculate;
mod run;

use recalculate::RecalculateTiers;

shared::function!("tier-recalculation": job RecalculateTiers);
