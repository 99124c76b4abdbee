//! The binary of the function: [`bundle_transitions::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(bundle_transitions::FUNCTION)
}
