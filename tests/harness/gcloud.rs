//! A stand-in for gcloud, the command line of Google Cloud, and a project there as that shows it: the scripts of Cloud Run are
//! run with it.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use tokio::process::Command;

use crate::{
    programs::{self, Ended},
    root,
};

/// The deployment's secret as the project keeps it, with everything that could be misread.
pub const SECRET: &str = r#"the "secret" \ of, a=shop"#;

/// Writes down what it is told, a line a call and tabs between, and what its files of flags say and who may read them.
/// As gcloud does, it shows what it made unless told not to; and it fails where gcloud's own log would have the secret.
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
  # A job that is paused can't be paused, nor one that is not be resumed.
  "scheduler jobs pause "*) grep -qx "$4,ENABLED" jobs && sed -i "s/^$4,.*/$4,PAUSED/" jobs ;;
  "scheduler jobs resume "*) grep -qx "$4,PAUSED" jobs && sed -i "s/^$4,.*/$4,ENABLED/" jobs ;;
esac
case "$*" in
  "scheduler jobs create "* | "scheduler jobs update "*) [[ $shows == no ]] || cat secret ;;
esac
[[ ! -e broken ]] || exit 1
[[ ! -e failing || "$*" != *"$(cat failing)"* ]] || exit 1
"#;

/// A project on Google Cloud, as its command line shows it.
pub struct Project(PathBuf);

impl Project {
    /// One with a secret and no jobs.
    pub fn with_secret() -> Self {
        let folder = std::env::temp_dir().join(format!("regulars-project-{:016x}", fastrand::u64(..)));
        fs::create_dir_all(folder.join("tmp")).unwrap();
        let gcloud = folder.join("gcloud");
        fs::write(&gcloud, GCLOUD).unwrap();
        fs::set_permissions(&gcloud, fs::Permissions::from_mode(0o755)).unwrap();
        let project = Self(folder);
        project.write("secret", SECRET);
        project.write("jobs", "");
        project
    }

    /// Writes a file of the stand-in's: `secret`, `jobs` (lines of name and state), `broken`, with which every call fails, or
    /// `failing`, with which those fail that have this in them.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    /// A file of the stand-in's, which it begins anew.
    pub fn take(&self, file: &str) -> String {
        let text = fs::read_to_string(self.0.join(file)).unwrap_or_default();
        let _ = fs::remove_file(self.0.join(file));
        text
    }

    /// What gcloud was told, call by call.
    pub fn take_calls(&self) -> Vec<Vec<String>> {
        self.take("calls").lines().map(|call| call.split('\t').map(str::to_owned).collect()).collect()
    }

    /// Runs a script to its end: it shows the secret nowhere, and leaves nothing behind.
    pub async fn run(&self, script: &str, arguments: &[&str]) -> Ended {
        self.run_with(script, arguments, &[]).await
    }

    /// The same, with some settings more.
    pub async fn run_with(&self, script: &str, arguments: &[&str], more: &[(&str, &str)]) -> Ended {
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
        for shown in [&ended.out, &ended.err, &fs::read_to_string(self.0.join("calls")).unwrap_or_default()] {
            assert!(!shown.contains("a=shop"), "the secret is shown: {shown}");
        }
        assert_eq!(fs::read_dir(self.0.join("tmp")).unwrap().count(), 0, "the script leaves nothing behind");
        ended
    }

    /// Runs the script of the jobs, which has to succeed.
    pub async fn jobs(&self, arguments: &[&str]) -> String {
        let ended = self.run("jobs.sh", arguments).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}");
        ended.out
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
