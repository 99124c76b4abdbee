//! The binary of the function: [`points_expiry::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(points_expiry::FUNCTION)
}
