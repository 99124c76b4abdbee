//! The binary of the function: [`points_redemption::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(points_redemption::FUNCTION)
}
