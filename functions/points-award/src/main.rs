//! The binary of the function: [`points_award::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(points_award::FUNCTION)
}
