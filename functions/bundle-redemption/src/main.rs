//! The binary of the function: [`bundle_redemption::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(bundle_redemption::FUNCTION)
}
