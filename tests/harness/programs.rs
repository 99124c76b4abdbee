//! The built binaries, run as a user runs them.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};

use crate::root;

/// How long a program may take to start or end before a test gives it up.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A binary of the workspace, built with the tests' own profile.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join(name);
    assert!(path.exists(), "{} is not built; make test builds it", path.display());
    path
}

/// A command to run a binary in the repository's root, without the settings of whoever runs the tests.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command.current_dir(root()).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in [
        "CRON_SECRET",
        "CRON_SECRET_NAME",
        "REGULARS_URL",
        "LOG_LEVEL",
        "PORT",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        // A test may spend nothing.
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_SECRET",
        "ANTHROPIC_BASE_URL",
    ] {
        command.env_remove(variable);
    }
    command
}

/// The command line in an account where nothing is but what a test puts there, by the service's name in the SDK's settings.
pub fn operator(arguments: &[&str], services: &[(&str, &str)]) -> Command {
    let mut command = command("ctl");
    command.args(arguments);
    for variable in [
        "STACK",
        "AWS_PROFILE",
        "AWS_DEFAULT_REGION",
        "AWS_SESSION_TOKEN",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        "AWS_ENDPOINT_URL_LAMBDA",
        "AWS_ENDPOINT_URL_SCHEDULER",
        "AWS_ENDPOINT_URL_SFN",
        "AWS_ENDPOINT_URL_SQS",
    ] {
        command.env_remove(variable);
    }
    command.envs([
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        // Nobody listens there, so a service that a test does not name is out of reach.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ]);
    for (service, url) in services {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), url);
    }
    command
}

/// Interrupts a program, as a user at a terminal does.
pub async fn interrupt(program: &Child) {
    let id = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
}

/// An HTTP client, to call what runs as a program.
pub fn http() -> reqwest::Client {
    // Already installed is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// What a program that ended left behind.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

/// Runs a program to its end.
pub async fn run(command: &mut Command) -> Ended {
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A local stack that runs as a program.
pub struct LocalStack {
    child: Child,
    out: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    /// Where it answers.
    pub url: String,
    /// Where its DynamoDB answers.
    pub dynamodb: String,
}

impl LocalStack {
    /// Starts one on any free port and waits until it is ready.
    pub async fn start(arguments: &[&str]) -> Self {
        let mut child = command("local").args(["--port", "0"]).args(arguments).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = async {
            let mut dynamodb = String::new();
            while let Some(line) = out.next_line().await.unwrap() {
                match line.split_once(' ') {
                    Some(("dynamodb", rest)) => dynamodb = rest.split(' ').next().unwrap().to_owned(),
                    Some(("ready", url)) => return (url.to_owned(), dynamodb),
                    _ => {}
                }
            }
            panic!("it ended before it was ready");
        };
        let (url, dynamodb) = tokio::time::timeout(PATIENCE, ready).await.expect("it gets ready");
        Self { child, out, url, dynamodb }
    }

    /// Sends a signal by its name, as `TERM`, and waits for the end.
    pub async fn end(mut self, signal: &str) -> Ended {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([format!("-{signal}"), id]).status().await.unwrap().success());
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.out.into_inner().read_to_string(&mut out).await.unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).await.unwrap();
        Ended { code: status.code(), out, err }
    }
}
