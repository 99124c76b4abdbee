//! The binary of the function: [`churn_prediction::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(churn_prediction::FUNCTION)
}
