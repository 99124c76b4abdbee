//! The stack that a command works on, as its options and the environment name it.

use clap::Args;

use crate::{addresses::FunctionAddresses, api::Api};

/// Where a local stack is that was told nothing else.
const DEFAULT_URL: &str = "http://127.0.0.1:9000";

/// The secret of a local stack that was given none.
pub(crate) const DEFAULT_SECRET: &str = "local-secret";

/// A deployed stack, by its name or by its addresses, or a local one. What is said goes before what is in the environment.
#[derive(Args)]
pub(crate) struct StackOptions {
    /// The name of a deployed stack, whose URLs and secret are found by it; `STACK` has the usual one
    #[arg(long, conflicts_with = "url")]
    stack: Option<String>,
    #[arg(long, env = "STACK", hide = true)]
    usual_stack: Option<String>,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Args)]
pub(crate) struct TargetOptions {
    /// Where the functions are: below /lambda-url/<function>/ of this address, or, as FUNCTION=URL and once for each, at one of its own; `REGULARS_URL` has the usual ones, else it is a local stack on port 9000
    #[arg(long, value_delimiter = ',')]
    url: Vec<String>,
    #[arg(long, env = "REGULARS_URL", value_delimiter = ',', hide = true)]
    usual_url: Vec<String>,
    /// The deployment's secret; a local stack's is local-secret unless it was given another
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
    /// Its functions, all of them.
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
