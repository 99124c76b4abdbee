//! `ctl deploy`: builds every function with SAM and deploys one environment of `samconfig.toml`.
//!
//! SAM publishes a new version of a function if its code or its part of the template has changed. A changed parameter
//! value changes neither, so it would reach no published version. A digest of the settings is therefore written beside
//! each program, so that changed settings change the code.

use std::{
    env, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use shared::{clock, domain::time};

/// The folder with the output of `sam build`, which `sam deploy` uploads.
const BUILD_FOLDER: &str = ".aws-sam/build";

/// The file with the parameters of the environments.
const SETTINGS_FILE: &str = "samconfig.toml";

const INSTALL_HINT: &str = "is missing: pip install aws-sam-cli cargo-lambda";

/// Builds and deploys an environment. `force_new_versions` publishes a new version of every function, changed or not.
pub(crate) fn run(environment: &str, force_new_versions: bool, compiler: &str) -> anyhow::Result<ExitCode> {
    let project_root = project_root()?;
    let is_installed = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !is_installed("sam", &["--version"]) {
        bail!("sam {INSTALL_HINT}");
    }
    if !is_installed("cargo", &["lambda", "--version"]) {
        bail!("cargo-lambda {INSTALL_HINT}");
    }
    run_step(&project_root, compiler, &["sam", "build", "--config-env", environment])?;
    write_settings_digests(&project_root, force_new_versions)
        .with_context(|| format!("the settings can't be written to {BUILD_FOLDER}"))?;
    run_step(&project_root, compiler, &["sam", "deploy", "--config-env", environment])?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a digest of the settings beside each built program. To force new versions, the digest covers the time too.
fn write_settings_digests(project_root: &Path, force_new_versions: bool) -> io::Result<()> {
    let mut digest = Sha256::new_with_prefix(fs::read(project_root.join(SETTINGS_FILE))?);
    if force_new_versions {
        digest.update(time::text(clock::now()));
    }
    let digest = digest.finalize().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    for entry in fs::read_dir(project_root.join(BUILD_FOLDER))? {
        let folder = entry?.path();
        if folder.join("bootstrap").exists() {
            fs::write(folder.join("settings"), format!("{digest}\n"))?;
        }
    }
    Ok(())
}

/// The nearest folder with a `samconfig.toml`, from the working folder upwards.
fn project_root() -> anyhow::Result<PathBuf> {
    let working_folder = env::current_dir().context("the working folder can't be read")?;
    let project_root = working_folder.ancestors().find(|folder| folder.join(SETTINGS_FILE).exists());
    project_root.map(Path::to_owned).context("there is no samconfig.toml here or above: run ctl deploy in the project")
}

/// Runs a step in this terminal, because SAM may ask questions.
fn run_step(project_root: &Path, compiler: &str, step: &[&str]) -> anyhow::Result<()> {
    let Some((program, arguments)) = step.split_first() else { return Ok(()) };
    let status =
        Command::new(program).args(arguments).current_dir(project_root).env("CARGO_LAMBDA_COMPILER", compiler).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{} ended with {status}", step.join(" ")),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("{program} {INSTALL_HINT}"),
        Err(error) => Err(error).with_context(|| format!("{} can't be run", step.join(" "))),
    }
}
