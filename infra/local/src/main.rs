//! The command line of the local stack.

use std::{collections::HashMap, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use clap::Parser;
use local::{
    engine::Engine,
    gateway,
    schedules::{self, ScheduledCall},
    stack::Stack,
    table,
    template::Template,
};
use shared::{
    clock::{self, Sleeper},
    host::stop_signal,
    store, telemetry,
};

/// Runs every function of the template on this machine, on an embedded DynamoDB
#[derive(Parser)]
#[command(name = "local", version)]
struct LocalCommandLine {
    /// Port for function URLs and the Lambda Invoke API; 0 selects a free port
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Port for the embedded DynamoDB; 0 selects a free port
    #[arg(long, default_value_t = 0)]
    dynamodb_port: u16,
    /// Keep the data in this file instead of in memory
    #[arg(long)]
    data: Option<PathBuf>,
    /// The template to run
    #[arg(long, default_value = "infra/template.yaml")]
    template: PathBuf,
    /// Print each call's metrics record
    #[arg(long)]
    metrics: bool,
    /// Go on serving after the command has ended
    #[arg(long)]
    stay: bool,
    /// The deployment's secret
    #[arg(long, env = "CRON_SECRET", default_value = "local-secret", hide_env_values = true)]
    secret: String,
    /// Origins of web pages that may call the function URLs, separated by commas
    #[arg(long, env = "ALLOWED_ORIGINS")]
    allowed_origins: Option<String>,
    /// Use the DynamoDB at this address instead of the embedded one
    #[arg(long, env = "AWS_ENDPOINT_URL_DYNAMODB")]
    dynamodb: Option<String>,
    /// API key for Claude, which scores churn; without a key the statistical model scores alone
    #[arg(long, env = "ANTHROPIC_API_KEY", hide_env_values = true)]
    anthropic_key: Option<String>,
    /// Base URL of the Anthropic API
    #[arg(long, env = "ANTHROPIC_BASE_URL")]
    anthropic_url: Option<String>,
    #[command(flatten)]
    churn: ChurnOptions,
    /// Webhook of the Slack channel that receives the weekly report
    #[arg(long, env = "SLACK_WEBHOOK_URL", hide_env_values = true)]
    slack_webhook: Option<String>,
    /// Level of the log lines on standard error
    #[arg(long, env = "LOG_LEVEL", default_value = "warn,dynoxide=error")]
    log_level: String,
    /// Command to run once the stack is ready, with the stack's address in `REGULARS_URL`; the stack ends with the command
    #[arg(last = true)]
    command: Vec<String>,
}

/// How Claude is asked. The default of each option is the template's value.
#[derive(clap::Args)]
struct ChurnOptions {
    /// Model
    #[arg(long, env = "CHURN_MODEL")]
    churn_model: Option<String>,
    /// Customers in one request
    #[arg(long, env = "CHURN_BATCH_SIZE")]
    churn_batch_size: Option<String>,
    /// Milliseconds between two requests
    #[arg(long, env = "CHURN_PAUSE_MS")]
    churn_pause_ms: Option<String>,
    /// Concurrent requests
    #[arg(long, env = "CHURN_CONCURRENCY")]
    churn_concurrency: Option<String>,
    /// Longest time for one complete answer, in milliseconds
    #[arg(long, env = "CHURN_TIMEOUT_MS")]
    churn_timeout_ms: Option<String>,
}

impl ChurnOptions {
    /// Sets the given options in the functions whose environment has them under the same names.
    fn apply_to(&self, template: &mut Template) {
        for (variable, value) in [
            ("CHURN_MODEL", &self.churn_model),
            ("CHURN_BATCH_SIZE", &self.churn_batch_size),
            ("CHURN_PAUSE_MS", &self.churn_pause_ms),
            ("CHURN_CONCURRENCY", &self.churn_concurrency),
            ("CHURN_TIMEOUT_MS", &self.churn_timeout_ms),
        ] {
            if let Some(value) = value {
                template.set_variable(variable, variable, value);
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = LocalCommandLine::parse();
    telemetry::log::start_logging(&options.log_level);
    match run(options).await {
        Ok(code) => code,
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Reads the template, with the options that are settings of its functions.
fn read_template(options: &LocalCommandLine) -> anyhow::Result<Template> {
    let file = options.template.display();
    let text = std::fs::read_to_string(&options.template).with_context(|| format!("template {file}"))?;
    let mut parameters = HashMap::from([("LogLevel", options.log_level.clone())]);
    parameters.extend(options.anthropic_url.clone().map(|url| ("AnthropicBaseUrl", url)));
    parameters.extend(options.allowed_origins.clone().map(|origins| ("AllowedOrigins", origins)));
    let mut template = Template::read(&text, &parameters).with_context(|| format!("template {file}"))?;
    template.set_variable("CRON_SECRET_NAME", "CRON_SECRET", &options.secret);
    if let Some(key) = &options.anthropic_key {
        template.set_variable("ANTHROPIC_SECRET", "ANTHROPIC_API_KEY", key);
    }
    options.churn.apply_to(&mut template);
    if let Some(webhook) = &options.slack_webhook {
        template.set_variable("SLACK_WEBHOOK_SECRET", "SLACK_WEBHOOK_URL", webhook);
    }
    Ok(template)
}

async fn run(options: LocalCommandLine) -> anyhow::Result<ExitCode> {
    let template = read_template(&options)?;
    let listening = gateway::listen(options.port).await.with_context(|| format!("port {}", options.port))?;
    let url = listening.first().map(|listening| format!("http://{}", listening.address)).unwrap_or_default();

    // An empty value counts as unset.
    let dynamodb = options.dynamodb.filter(|endpoint| !endpoint.trim().is_empty());
    if let Some(endpoint) = dynamodb.as_ref().filter(|endpoint| !endpoint.contains("://")) {
        bail!("the address of DynamoDB must begin with http:// or https://, not {endpoint:?}");
    }
    let engine = match (&dynamodb, &options.data) {
        (Some(_), Some(_)) => bail!("--data needs the embedded DynamoDB, but another DynamoDB is selected"),
        (Some(_), None) => None,
        (None, data) => Some(Engine::start(data.as_deref(), options.dynamodb_port)?),
    };
    let endpoint = dynamodb.or(engine.as_ref().map(Engine::endpoint)).unwrap_or_default();
    let client = store::client(Some(&endpoint)).await.with_context(|| endpoint.clone())?;
    let metrics: telemetry::record::Sink = if options.metrics { telemetry::record::stdout() } else { Arc::new(|_| ()) };
    let scheduled_calls: Vec<_> = template.schedules().collect();
    // A fault of the data file explains more than the client's error that results from it.
    let fault = engine.as_ref().map(Engine::fault);
    let or_known_fault = |error| {
        let fault = fault.as_ref().and_then(|fault| fault.borrow().clone());
        fault.map_or(error, anyhow::Error::msg)
    };
    table::ensure(&client, &template.table).await.map_err(or_known_fault)?;
    let stack = Arc::new(Stack::new(&template, |_| client.clone(), &metrics, &Sleeper::default())?);

    // A caller may send the signal as soon as it reads the line `ready`.
    let stop_requested = stop_signal();
    print_line(&format!("dynamodb {endpoint} table {}", template.table.name));
    for function in stack.functions() {
        print_line(&format!("{function} {url}/lambda-url/{function}/"));
    }
    print_line(&format!("ready {url}"));
    if let Some(fault) = fault {
        tokio::spawn(report_fault(fault));
    }

    let (stop_serving, stop) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(gateway::run(listening, Arc::clone(&stack), async { drop(stop.await) }));
    let mut serving = std::pin::pin!(serving);
    let call = |ScheduledCall { function, until_done, .. }, event| {
        let stack = Arc::clone(&stack);
        async move {
            if until_done {
                stack.sweep(&function, event, None).await;
            } else {
                stack.call_until_done(&function, event, None).await;
            }
        }
    };
    let run_schedules = || schedules::run(&scheduled_calls, clock::now, call);
    let code = tokio::select! {
        code = wait_for_end(&options.command, options.stay, &url, &options.secret, stop_requested, run_schedules) => code,
        _ = &mut serving => bail!("the server stopped unexpectedly"),
    };
    drop(stop_serving);
    serving.await??;
    if let Some(engine) = engine {
        tokio::task::spawn_blocking(|| engine.stop()).await?;
    }
    code
}

/// Waits until the stack must end: when its command ends, or at a signal.
///
/// A command may set the clock of its requests, so the template's schedules start after the command has ended.
async fn wait_for_end<F: Future<Output = ()>>(
    command: &[String],
    stay: bool,
    url: &str,
    secret: &str,
    stop_requested: impl Future<Output = ()>,
    run_schedules: impl FnOnce() -> F,
) -> anyhow::Result<ExitCode> {
    let mut stop_requested = std::pin::pin!(stop_requested);
    if let Some((program, arguments)) = command.split_first() {
        let mut running = tokio::process::Command::new(program)
            .args(arguments)
            .env("REGULARS_URL", url)
            .env("CRON_SECRET", secret)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| program.clone())?;
        let status = tokio::select! {
            status = running.wait() => status.with_context(|| program.clone())?,
            () = &mut stop_requested => return Ok(ExitCode::SUCCESS),
        };
        if !stay || !status.success() {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
    }
    // The stack goes on serving when no schedule is due any more.
    let schedules = async {
        run_schedules().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = stop_requested => {}
        () = schedules => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Reports the first fault of the embedded store. The stack keeps serving, because reads may still work.
async fn report_fault(mut fault: tokio::sync::watch::Receiver<Option<String>>) {
    if let Ok(found) = fault.wait_for(Option::is_some).await {
        print_error(found.as_deref().unwrap_or_default());
    }
}

fn print_error(message: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("local: {message}\n"));
}

fn print_line(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    // The stack serves even if its output is closed.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
