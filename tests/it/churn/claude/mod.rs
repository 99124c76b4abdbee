//! Claude, behind a stand-in for the API.
//!
//! | to find | look in |
//! |---|---|
//! | requests, replies, waits | [`replies`] |

mod replies;
