//! The binary of the function: [`weekly_report::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(weekly_report::FUNCTION)
}
