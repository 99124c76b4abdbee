//! The client of Anthropic's API, against a stand-in.
//!
//! | to find | look in |
//! |---|---|
//! | the requests | [`requests`] |
//! | valid, missing and unusable replies | [`replies`] |
//! | retries, and failures that switch Claude off | [`failures`] |
//! | pauses, rate limits, requests in flight | [`pacing`] |
//! | slow replies and deadlines | [`deadlines`] |
//! | the API key and the settings | [`settings`] |
//! | helpers of these tests | [`support`] |

mod deadlines;
mod failures;
mod pacing;
mod replies;
mod requests;
mod settings;
mod support;
