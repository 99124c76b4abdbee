//! One file a job. Every test has a world of its own, so they run side by side.

mod awards;
mod back_office;
mod bad_input;
mod bundle_rules;
mod bundles;
mod checkout;
mod four_kinds_of_call;
mod house;
mod idempotency;
mod load;
mod local_stack;
mod lost_and_broken;
mod many_at_once;
mod model;
mod org_keys;
mod recalculation;
mod redemptions;
mod refunds;
mod requests_counted;
mod rules;
mod schedules;
mod sold_out;
mod telemetry;
mod torn_reads;
mod transitions;
