//! The addresses of the functions. A local stack serves all functions below one address. In the cloud each function has
//! an address of its own.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use reqwest::Url;

/// The names of all functions.
pub const FUNCTIONS: [&str; 9] = [
    "back-office",
    "bundle-redemption",
    "bundle-transitions",
    "churn-prediction",
    "points-award",
    "points-expiry",
    "points-redemption",
    "tier-recalculation",
    "weekly-report",
];

/// The functions' addresses, without a trailing slash.
#[derive(Debug)]
pub struct FunctionAddresses {
    /// The address of all functions without a separate address. A function is below its path `/lambda-url/<function>/`.
    common: Option<String>,
    by_function: BTreeMap<&'static str, String>,
}

impl FunctionAddresses {
    /// Parses addresses in the forms `URL` and `FUNCTION=URL`. Fails for an unknown function and for a repeated
    /// address.
    pub fn parse(urls: &[String]) -> anyhow::Result<Self> {
        let (mut common, mut by_function) = (None, BTreeMap::new());
        for url in urls {
            let is_repeated = match url.split_once('=').filter(|(name, _)| !name.contains(':')) {
                Some((name, function_url)) => {
                    let function = FUNCTIONS.into_iter().find(|function| *function == name);
                    let function = function
                        .with_context(|| format!("there is no function {name:?}, only {}", FUNCTIONS.join(", ")))?;
                    by_function.insert(function, parse_address(function_url)?).is_some()
                }
                None => common.replace(parse_address(url)?).is_some(),
            };
            if is_repeated {
                bail!("{url:?} is a second address for the same");
            }
        }
        Ok(Self { common, by_function })
    }

    /// The address of a function. Fails if none was given.
    pub fn address_of(&self, function: &str) -> anyhow::Result<String> {
        let by_function = self.by_function.get(function).cloned();
        by_function
            .or_else(|| self.common.as_ref().map(|common| format!("{common}/lambda-url/{function}")))
            .with_context(|| format!("no address was given for {function}: --url {function}=https://…"))
    }

    /// Fails unless every function has an address.
    pub fn require_every_function(&self) -> anyhow::Result<()> {
        FUNCTIONS.into_iter().try_for_each(|function| self.address_of(function).map(drop))
    }
}

fn parse_address(text: &str) -> anyhow::Result<String> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        bail!("the address {text:?} must begin with http:// or https://");
    }
    Url::parse(text).with_context(|| format!("{text:?} is not an address"))?;
    Ok(text.trim_end_matches('/').to_owned())
}
