//! The addresses of the functions on the local stack.

/// The address of the local stack, on which the `curl` lines work.
pub const LOCAL_STACK: &str = "http://127.0.0.1:9000";

/// The path prefix of a function on the local stack.
#[must_use]
pub fn prefix(function: &str) -> String {
    format!("/lambda-url/{function}")
}
