//! How a call enters a function.
//!
//! | to find | look in |
//! |---|---|
//! | schedule, event, function URL, invocation, port | [`entry_points`] |
//! | the HTTP server outside Lambda | [`http_server`] |
//! | bodies, encodings, headers, the order of checks | [`decoding`] |
//! | invalid input | [`bad_input`] |
//! | the size of requests, answers and log lines | [`bounds`] |
//! | events that the template routes to a function | [`events`] |
//! | refusals that many operations share, and those at the ends of ranges | [`refusals`] |
//! | repeated requests | [`idempotency`] |

mod bad_input;
mod bounds;
mod decoding;
mod entry_points;
mod events;
mod http_server;
mod idempotency;
mod refusals;
