//! The built binaries, run as a user runs them.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use crate::root;

/// How long a program may take to start or end before a test gives it up: far longer than any does, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// A binary of the workspace, built with the tests' own profile.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join(name);
    assert!(path.exists(), "{} is not built; make test builds it", path.display());
    path
}

/// A command to run a binary in the repository's root, without the settings of whoever runs the tests.
pub fn command(name: &str) -> Command {
    shut_in(Command::new(binary(name)))
}

fn shut_in(mut command: Command) -> Command {
    command.current_dir(root()).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in [
        "CRON_SECRET",
        "CRON_SECRET_NAME",
        "REGULARS_URL",
        "LOG_LEVEL",
        "PORT",
        "REQUEST_TIMEOUT_SECONDS",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        // A test may spend nothing.
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_SECRET",
        "ANTHROPIC_BASE_URL",
        "CHURN_MODEL",
        "CHURN_BATCH_SIZE",
        "CHURN_PAUSE_MS",
        "CHURN_CONCURRENCY",
        "CHURN_TIMEOUT_MS",
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

/// Sends these bytes to a server on a connection of their own, and gives all that it answers until it closes it.
pub async fn speak(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it closes the connection").unwrap();
    String::from_utf8(answer).unwrap()
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
        Self::of(command("local").args(["--port", "0"]).args(arguments)).await
    }

    /// Starts one by this command and waits until it is ready.
    pub async fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
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

    /// Ends it by force.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal by its name, as `TERM`, and waits for the end.
    pub async fn end(mut self, signal: &str) -> Ended {
        send_signal(&self.child, signal).await;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.out.into_inner().read_to_string(&mut out).await.unwrap();
        // Where it goes to a file, it is there.
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut err).await.unwrap();
        }
        Ended { code: status.code(), out, err }
    }
}

async fn send_signal(child: &Child, signal: &str) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([format!("-{signal}"), id]).status().await.unwrap().success());
}

/// A function that answers on a port, as on Cloud Run.
pub struct OnPort {
    child: Child,
    address: SocketAddr,
    /// Where it answers.
    pub url: String,
}

impl OnPort {
    /// Starts one on any free port and waits until it answers.
    pub async fn start(function: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_by(|| command(function), function, settings).await
    }

    /// Starts one that gets so many KiB of memory and no more. Nobody reads what it counts.
    pub async fn start_within(kib: u32, function: &str, settings: &[(&str, &str)]) -> Self {
        let limited = || {
            let mut limited = shut_in(Command::new("sh"));
            limited.args(["-c", &format!("ulimit -d {kib} && exec \"$0\" > /dev/null")]).arg(binary(function));
            limited
        };
        Self::start_by(limited, function, settings).await
    }

    async fn start_by(command: impl Fn() -> Command, function: &str, settings: &[(&str, &str)]) -> Self {
        let http = http();
        loop {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
            let mut command = command();
            command.env("PORT", free.port().to_string()).env("TABLE_NAME", "regulars").envs(settings.iter().copied());
            let mut child = command.spawn().unwrap();
            let url = format!("http://{free}");
            let ready = async {
                while http.get(format!("{url}/health")).send().await.is_err() {
                    if child.try_wait().unwrap().is_some() {
                        return false;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                true
            };
            if tokio::time::timeout(PATIENCE, ready).await.expect("it gets ready") {
                return Self { child, address: free, url };
            }
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).await.unwrap();
            assert!(why.contains("in use"), "{function}: {why}");
        }
    }

    /// Begins a request: when this answers, the function has begun with it, too, and waits for the body.
    pub async fn begin(&self, method: &str, path: &str, secret: &str, body: &'static str) -> Begun {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: function\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n\
             content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut told = vec![0; expected.len()];
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut told)).await.expect("it begins").unwrap();
        assert_eq!(told, expected);
        Begun { stream, body }
    }

    /// Sends a signal by its name, as `TERM`.
    pub async fn signal(&self, signal: &str) {
        send_signal(&self.child, signal).await;
    }

    /// Waits until it takes no more connections.
    pub async fn is_closed(&self) {
        let closed = async {
            while TcpStream::connect(self.address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.expect("it stops listening");
    }

    /// Waits for the end.
    pub async fn ended(self) -> Ended {
        let output = tokio::time::timeout(PATIENCE, self.child.wait_with_output()).await.expect("it ends").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A request whose body is yet to come.
pub struct Begun {
    stream: TcpStream,
    body: &'static str,
}

impl Begun {
    /// Sends the body, and gives the answer's status.
    pub async fn finish(mut self) -> u16 {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, self.stream.read_to_string(&mut answer)).await.expect("it answers").unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer}"))
    }
}
