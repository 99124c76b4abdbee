//! What the command line says: results on standard output, complaints on standard error.

use std::{io::Write, process::ExitCode};

/// Prints a line. Where nobody listens any more there is nobody to tell.
pub fn print_line(line: &str) {
    let _ = try_print_line(line);
}

/// The same, for what goes on only as long as somebody listens.
#[must_use]
pub fn try_print_line(line: &str) -> bool {
    writeln!(std::io::stdout().lock(), "{line}").is_ok()
}

/// Prints a complaint.
pub fn print_error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// What a command came to, as a process's exit code; why it failed goes to standard error.
#[must_use]
pub fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        print_error(&format!("ctl: {error:#}"));
        ExitCode::FAILURE
    })
}
