//! The binary of the function: [`tier_recalculation::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(tier_recalculation::FUNCTION)
}
