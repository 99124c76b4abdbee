//! The built binaries, run as processes.

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

/// The longest time that a test waits for a program. Every program is far faster, on a busy machine too.
pub const WAIT_MAX: Duration = Duration::from_mins(5);

/// The path of a binary of the workspace, built with the tests' profile.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join(name);
    assert!(path.exists(), "{} is not built; make test builds it", path.display());
    path
}

/// A command that runs a binary in the root of the repository, without settings from the environment of the tests.
pub fn command(name: &str) -> Command {
    isolated(Command::new(binary(name)))
}

fn isolated(mut command: Command) -> Command {
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
        // Requests with a real key would cost money.
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

/// A command that runs `ctl`. `services` gives the URL of a stand-in for each AWS service, by its name in the SDK's
/// settings.
pub fn ctl_command(arguments: &[&str], services: &[(&str, &str)]) -> Command {
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
        // Nothing listens there, so a service without a stand-in is out of reach.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ]);
    for (service, url) in services {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), url);
    }
    command
}

/// Sends `SIGINT` to a program.
pub async fn interrupt(program: &Child) {
    let id = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
}

/// An HTTP client for calls to programs.
pub fn http() -> reqwest::Client {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Sends bytes to a server on a new connection. Returns everything that the server sends until it closes the connection.
pub async fn send_raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(WAIT_MAX, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

/// The exit code and output of a program.
#[derive(Debug)]
pub struct ProgramOutput {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs a program until it exits.
pub async fn run(command: &mut Command) -> ProgramOutput {
    let output = tokio::time::timeout(WAIT_MAX, command.output()).await.expect("the program exits").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    ProgramOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A local stack that runs as a process.
pub struct LocalStack {
    child: Child,
    out: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    /// Its URL.
    pub url: String,
    /// The URL of its DynamoDB.
    pub dynamodb: String,
}

impl LocalStack {
    /// Starts a local stack on a free port and waits until it is ready.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_with(command("local").args(["--port", "0"]).args(arguments)).await
    }

    /// Starts a local stack by this command and waits until it is ready.
    pub async fn start_with(command: &mut Command) -> Self {
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
            panic!("the stack exited before it was ready");
        };
        let (url, dynamodb) = tokio::time::timeout(WAIT_MAX, ready).await.expect("the program gets ready");
        Self { child, out, url, dynamodb }
    }

    /// Kills the process.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal by its name, as `TERM`, and waits for the exit.
    pub async fn stop(mut self, signal: &str) -> ProgramOutput {
        send_signal(&self.child, signal).await;
        let status = tokio::time::timeout(WAIT_MAX, self.child.wait()).await.expect("the program exits").unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.out.into_inner().read_to_string(&mut out).await.unwrap();
        // A test may have redirected standard error to a file.
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut err).await.unwrap();
        }
        ProgramOutput { code: status.code(), out, err }
    }
}

async fn send_signal(child: &Child, signal: &str) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([format!("-{signal}"), id]).status().await.unwrap().success());
}

/// A function that serves HTTP on a port, as on Cloud Run.
pub struct FunctionServer {
    child: Child,
    address: SocketAddr,
    /// Its URL.
    pub url: String,
}

impl FunctionServer {
    /// Starts a function on a free port and waits until it answers.
    pub async fn start(function: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_with(|| command(function), function, settings).await
    }

    /// Starts a function with a memory limit in KiB. Its metrics are discarded.
    pub async fn start_with_memory_limit(kib: u32, function: &str, settings: &[(&str, &str)]) -> Self {
        let limited = || {
            let mut limited = isolated(Command::new("sh"));
            limited.args(["-c", &format!("ulimit -d {kib} && exec \"$0\" > /dev/null")]).arg(binary(function));
            limited
        };
        Self::start_with(limited, function, settings).await
    }

    async fn start_with(command: impl Fn() -> Command, function: &str, settings: &[(&str, &str)]) -> Self {
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
            if tokio::time::timeout(WAIT_MAX, ready).await.expect("the program gets ready") {
                return Self { child, address: free, url };
            }
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).await.unwrap();
            assert!(error.contains("in use"), "{function}: {error}");
        }
    }

    /// Begins a request. When this returns, the function has read the headers and waits for the body.
    pub async fn begin_request(&self, method: &str, path: &str, secret: &str, body: &'static str) -> PendingRequest {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: function\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n\
             content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut received = vec![0; expected.len()];
        tokio::time::timeout(WAIT_MAX, stream.read_exact(&mut received))
            .await
            .expect("the function reads the headers")
            .unwrap();
        assert_eq!(received, expected);
        PendingRequest { stream, body }
    }

    /// Sends a signal by its name, as `TERM`.
    pub async fn signal(&self, signal: &str) {
        send_signal(&self.child, signal).await;
    }

    /// Waits until the function refuses connections.
    pub async fn wait_closed(&self) {
        let closed = async {
            while TcpStream::connect(self.address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, closed).await.expect("the function stops listening");
    }

    /// Waits for the exit.
    pub async fn wait_exit(self) -> ProgramOutput {
        let output =
            tokio::time::timeout(WAIT_MAX, self.child.wait_with_output()).await.expect("the program exits").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        ProgramOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A request whose body is not sent yet.
pub struct PendingRequest {
    stream: TcpStream,
    body: &'static str,
}

impl PendingRequest {
    /// Sends the body. Returns the status of the answer.
    pub async fn finish(mut self) -> u16 {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(WAIT_MAX, self.stream.read_to_string(&mut answer))
            .await
            .expect("the function answers")
            .unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer}"))
    }
}
