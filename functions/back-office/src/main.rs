//! The binary of the function: [`back_office::FUNCTION`] in its host.

fn main() -> std::process::ExitCode {
    shared::host::run(back_office::FUNCTION)
}
