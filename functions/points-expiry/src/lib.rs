//! Records what the clock did to the points of customers: daily, and on request.
//!
//! - `shared::domain::lots` determines what is due, and which notices are.
//! - `shared::domain::liability` determines the record of a day.
//! - `shared::jobs::sweep` splits a run of any size into calls.

pub mod answer;
mod balances;
mod closing;
mod customers;
pub mod expire;
mod run;

use expire::ExpirePoints;

shared::function!("points-expiry": job ExpirePoints);
