//! `ctl deploy`: SAM builds every function and deploys one environment of `samconfig.toml`.

use std::{
    env,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

const MISSING: &str = "is missing: pip install aws-sam-cli cargo-lambda";

pub(super) fn command(environment: &str, compiler: &str) -> Result<ExitCode, String> {
    let root = root()?;
    let answers = |program: &str, arguments: &[&str]| {
        let asked = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    if !answers("sam", &["--version"]) {
        return Err(format!("sam {MISSING}"));
    }
    if !answers("cargo", &["lambda", "--version"]) {
        return Err(format!("cargo-lambda {MISSING}"));
    }
    for step in ["build", "deploy"] {
        run(&root, compiler, &["sam", step, "--config-env", environment])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of `samconfig.toml`, from here upwards.
fn root() -> Result<PathBuf, String> {
    let here = env::current_dir().map_err(|error| format!("where this is can't be told: {error}"))?;
    let root = here.ancestors().find(|folder| folder.join("samconfig.toml").exists());
    root.map(Path::to_owned).ok_or_else(|| "there is no samconfig.toml here or above: run it in the project".into())
}

/// Runs a step in the terminal of whoever deploys, who may be asked.
fn run(root: &Path, compiler: &str, step: &[&str]) -> Result<(), String> {
    let Some((program, arguments)) = step.split_first() else { return Ok(()) };
    let status =
        Command::new(program).args(arguments).current_dir(root).env("CARGO_LAMBDA_COMPILER", compiler).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} ended with {status}", step.join(" "))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("{program} {MISSING}")),
        Err(error) => Err(format!("{} can't be run: {error}", step.join(" "))),
    }
}
