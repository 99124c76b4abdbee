//! A function as a process, in Lambda or on a port.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use hyper::body::Bytes;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;

use super::{
    cors::Cors,
    dispatch::Host,
    invocation::{Invocation, InvocationError},
    operation::Function,
    serve::{HttpLimits, Listener, serve},
    url::{response, stop_signal, url_event},
};
use crate::{
    clock::Deadline,
    config::Config,
    domain::zone,
    error::chain,
    store::{self, Store},
    telemetry,
};

/// The time limit of an invocation whose deadline is in the past. The deadline of cargo-lambda's stand-in for Lambda
/// lies in 1970.
const DEFAULT_INVOCATION_LIMIT: Duration = Duration::from_mins(1);

/// Runs a function under the Lambda runtime if there is one, and otherwise on `PORT`. Returns when the process is asked
/// to stop.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn run(function: Function) -> ExitCode {
    let lookup = |name: &str| std::env::var(name).ok();
    let in_lambda = lookup("AWS_LAMBDA_RUNTIME_API").is_some();
    let run_to_end = || {
        let config = Config::from_lookup(lookup)?;
        telemetry::log::start_logging(&config.log_level);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(start(function, config, in_lambda))
    };
    match run_to_end() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logging starts only after the settings are read.
            let error = chain(error.as_ref());
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{}: {error}\n", function.name));
            ExitCode::FAILURE
        }
    }
}

/// Why a function did not start or stopped.
type StartError = Box<dyn std::error::Error + Send + Sync>;

async fn start(function: Function, config: Config, in_lambda: bool) -> Result<(), StartError> {
    let client = store::client(config.endpoint.as_deref()).await?;
    let store = Store::new(client, &config.table);
    let (port, request_timeout, cors) =
        (config.port, config.request_timeout, Cors::of_origins(&config.allowed_origins));
    tracing::info!(function = function.name, zone_data = zone::data_version(), "started");
    let host = Arc::new(Host::new(function, store, config, telemetry::record::stdout()));
    match port {
        _ if in_lambda => {
            let service = service_fn(|event: LambdaEvent<Box<RawValue>>| {
                let host = Arc::clone(&host);
                async move {
                    let given = Deadline::at(event.context.deadline());
                    let deadline =
                        if given.remaining().is_zero() { Deadline::after(DEFAULT_INVOCATION_LIMIT) } else { given };
                    host.answer(&event.payload, Invocation::new(None, deadline)).await
                }
            });
            lambda_runtime::run(service).await
        }
        Some(port) => serve_port(host, port, request_timeout, cors.map(Arc::new))
            .await
            .map_err(|error| format!("port {port}: {error}").into()),
        None => Err("the process runs outside Lambda and PORT is not set".into()),
    }
}

async fn serve_port(
    host: Arc<Host>,
    port: u16,
    request_timeout: Duration,
    cors: Option<Arc<Cors>>,
) -> std::io::Result<()> {
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await?;
    let answer = move |parts: http::request::Parts, body: Bytes| {
        let (host, cors) = (Arc::clone(&host), cors.clone());
        async move {
            if let Some(answer) = cors.as_ref().and_then(|cors| cors.preflight(&parts)) {
                return answer;
            }
            let event = url_event(&parts, parts.uri.path(), &body);
            let invocation = Invocation::new(None, Deadline::after(request_timeout));
            // Only an invocation can fail. An HTTP request always has an answer.
            let answer = host.answer(&event, invocation).await.unwrap_or_default();
            let mut response = response(&answer);
            if let Some(cors) = cors {
                cors.allow(&parts.headers, &mut response);
            }
            response
        }
    };
    serve(listener, HttpLimits::default(), answer, stop_signal()).await
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self { error_type: error.code.to_owned(), error_message: error.message.to_owned() }
    }
}
