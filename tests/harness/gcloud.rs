//! A stand-in for gcloud, the command line of Google Cloud, and for a project as gcloud shows it. The scripts of
//! `infra/cloud-run` run against the stand-in.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use tokio::process::Command;

use crate::{
    programs::{self, ProgramOutput},
    root,
};

/// The deployment's secret in the project. It has every character that a script could misread.
pub const SECRET: &str = r#"the "secret" \ of, a=shop"#;

/// Records its arguments, one line a call, separated by tabs. Records the text and the file modes of its flags files.
///
/// Like gcloud, it prints what it created unless `--format=none` is given. It fails where gcloud would log the secret.
const GCLOUD: &str = r#"#!/usr/bin/env bash
set -eu
(IFS=$'\t'; printf '%s\n' "$*") >>calls
shows=yes
for argument; do
  case $argument in
    --flags-file=*)
      file=${argument#*=}
      echo "$file" >>files
      { ls -l "$file"; ls -ld "$(dirname "$file")"; } | cut -c1-10 >>modes
      cat "$file" >>flags
      [[ $CLOUDSDK_CORE_DISABLE_FILE_LOGGING == 1 ]]
      ;;
    --format=none) shows=no ;;
  esac
done
case "$*" in
  "secrets versions access latest "*) cat secret ;;
  "run services describe "*) echo "https://$4-x.a.run.app" ;;
  "run services replace - "*) cat >>deployed ;;
  "scheduler jobs list "*) cat jobs ;;
  "scheduler jobs create http "*) echo "$5,ENABLED" >>jobs ;;
  "scheduler jobs update http "*) sed -i "s/^$5,.*/$5,ENABLED/" jobs ;;
  # Only an enabled job can be paused, and only a paused job can be resumed.
  "scheduler jobs pause "*) grep -qx "$4,ENABLED" jobs && sed -i "s/^$4,.*/$4,PAUSED/" jobs ;;
  "scheduler jobs resume "*) grep -qx "$4,PAUSED" jobs && sed -i "s/^$4,.*/$4,ENABLED/" jobs ;;
esac
case "$*" in
  "scheduler jobs create "* | "scheduler jobs update "*) [[ $shows == no ]] || cat secret ;;
esac
[[ ! -e broken ]] || exit 1
[[ ! -e failing || "$*" != *"$(cat failing)"* ]] || exit 1
"#;

/// A project on Google Cloud, as gcloud shows it.
pub struct GcloudProject(PathBuf);

impl GcloudProject {
    /// A project with a secret and no jobs.
    pub fn with_secret() -> Self {
        let folder = std::env::temp_dir().join(format!("regulars-project-{:016x}", fastrand::u64(..)));
        fs::create_dir_all(folder.join("tmp")).unwrap();
        let gcloud = folder.join("gcloud");
        fs::write(&gcloud, GCLOUD).unwrap();
        fs::set_permissions(&gcloud, fs::Permissions::from_mode(0o755)).unwrap();
        let project = Self(folder);
        project.write_file("secret", SECRET);
        project.write_file("jobs", "");
        project
    }

    /// Writes a file of the stand-in: `secret`, `jobs` (lines of name and state), `broken` (every call fails) or `failing`
    /// (calls that contain this text fail).
    pub fn write_file(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    /// Takes the text of a file of the stand-in, and removes the file.
    pub fn take_file(&self, file: &str) -> String {
        let text = fs::read_to_string(self.0.join(file)).unwrap_or_default();
        let _ = fs::remove_file(self.0.join(file));
        text
    }

    /// Takes the arguments of each call of gcloud.
    pub fn take_calls(&self) -> Vec<Vec<String>> {
        self.take_file("calls").lines().map(|call| call.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Runs a script to its end. Checks that the script shows the secret nowhere and removes its temporary files.
    pub async fn run(&self, script: &str, arguments: &[&str]) -> ProgramOutput {
        self.run_with(script, arguments, &[]).await
    }

    /// [`Self::run`] with more settings.
    pub async fn run_with(&self, script: &str, arguments: &[&str], more: &[(&str, &str)]) -> ProgramOutput {
        let path = format!("{}:{}", self.0.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(root().join("infra/cloud-run").join(script));
        command.args(arguments).env_clear().env("PATH", path).current_dir(&self.0).kill_on_drop(true);
        command.env("TMPDIR", self.0.join("tmp")).envs([("PROJECT", "shop"), ("REGION", "us-east1")]).envs([
            ("AWS_ACCOUNT_ID", "111122223333"),
            ("AWS_REGION", "us-east-1"),
            ("CRON_SECRET_NAME", "arn:aws:secretsmanager:us-east-1:111122223333:secret:regulars-cron-secret-AbCdEf"),
        ]);
        command.envs(more.iter().copied());
        let ended = programs::run(&mut command).await;
        for text in [&ended.out, &ended.err, &fs::read_to_string(self.0.join("calls")).unwrap_or_default()] {
            assert!(!text.contains("a=shop"), "the secret is shown: {text}");
        }
        assert_eq!(fs::read_dir(self.0.join("tmp")).unwrap().count(), 0, "the script removes its temporary files");
        ended
    }

    /// Runs `jobs.sh`, which must succeed. Returns its output.
    pub async fn run_jobs(&self, arguments: &[&str]) -> String {
        let ended = self.run("jobs.sh", arguments).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}");
        ended.out
    }
}

impl Drop for GcloudProject {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
