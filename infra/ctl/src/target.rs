//! Options and environment variables that select the stack of a command.

use clap::Args;

use crate::{addresses::FunctionAddresses, api::Api};

/// Default address of a local stack.
const DEFAULT_URL: &str = "http://127.0.0.1:9000";

/// Default secret of a local stack.
pub(crate) const DEFAULT_SECRET: &str = "local-secret";

/// A deployed stack, by its name or by its addresses, or a local stack. Options take precedence over the environment.
#[derive(Args)]
pub(crate) struct StackOptions {
    /// Name of a deployed stack, which finds its URLs and its secret; the default is in `STACK`
    #[arg(long, conflicts_with = "url")]
    stack: Option<String>,
    #[arg(long, env = "STACK", hide = true)]
    usual_stack: Option<String>,
    #[command(flatten)]
    target: TargetOptions,
}

/// A stack by its addresses.
#[derive(Args)]
pub(crate) struct TargetOptions {
    /// Address with the functions below /lambda-url/<function>/, or, as FUNCTION=URL and repeated, the address of one function; the default is in `REGULARS_URL`, else a local stack on port 9000
    #[arg(long, value_delimiter = ',')]
    url: Vec<String>,
    #[arg(long, env = "REGULARS_URL", value_delimiter = ',', hide = true)]
    usual_url: Vec<String>,
    /// The deployment's secret; the default of a local stack is local-secret
    #[arg(long, env = "CRON_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,
}

impl TargetOptions {
    pub(crate) fn addresses(&self) -> anyhow::Result<FunctionAddresses> {
        let default_url = [DEFAULT_URL.to_owned()];
        let urls = [&self.url[..], &self.usual_url[..]].into_iter().find(|urls| !urls.is_empty());
        FunctionAddresses::parse(urls.unwrap_or(&default_url))
    }

    pub(crate) fn api(&self) -> anyhow::Result<Api> {
        Api::new(self.addresses()?, self.secret.as_deref().unwrap_or(DEFAULT_SECRET))
    }
}

impl StackOptions {
    /// The functions of the selected stack. `find_stack` returns the addresses and the secret of a deployed stack by
    /// its name.
    pub(crate) async fn api(
        &self,
        find_stack: impl AsyncFnOnce(&str, Option<&str>) -> anyhow::Result<(FunctionAddresses, String)>,
    ) -> anyhow::Result<Api> {
        let is_addressed = !(self.target.url.is_empty() && self.target.usual_url.is_empty());
        let default_stack = self.usual_stack.as_ref().filter(|stack| !is_addressed && !stack.is_empty());
        let Some(stack) = self.stack.as_ref().or(default_stack) else { return self.target.api() };
        let (addresses, secret) = find_stack(stack, self.target.secret.as_deref()).await?;
        Api::new(addresses, &secret)
    }
}
