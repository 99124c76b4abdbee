//! Rules that hold for every function.
//!
//! | to find | look in |
//! |---|---|
//! | entry points, decoding, limits, idempotency | [`calls`] |
//! | the deployment's secret and org keys | [`credentials`] |
//! | lost, refused and hanging requests to the store | [`faults`] |
//! | callers at the same time | [`races`] |
//! | requests to the store per operation | [`costs`] |
//! | items written by another version | [`versions`] |
//! | jobs over all orgs: cursors, deadlines, dry runs | [`sweeps`] |
//! | events that go out | [`outbound`] |
//! | metrics and log lines | [`telemetry`] |

mod calls;
mod costs;
mod credentials;
mod faults;
mod outbound;
mod races;
mod sweeps;
mod telemetry;
mod versions;
