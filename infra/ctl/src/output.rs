//! Output of the command line: results on standard output, errors on standard error.

use std::{io::Write, process::ExitCode};

/// Prints a line. A closed output is ignored, because the command's work goes on without it.
pub fn print_line(line: &str) {
    let _ = try_print_line(line);
}

/// Prints a line. Returns false if the output is closed.
#[must_use]
pub fn try_print_line(line: &str) -> bool {
    writeln!(std::io::stdout().lock(), "{line}").is_ok()
}

/// Prints a line on standard error.
pub fn print_error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Turns the result of a command into an exit code. An error is printed with its causes, on one line.
#[must_use]
pub fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        print_error(&format!("ctl: {error:#}"));
        ExitCode::FAILURE
    })
}
