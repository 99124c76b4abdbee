//! Where the functions are: below one address, as a local stack serves them, or each at an address of its own, as in the
//! cloud.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use reqwest::Url;

/// Every function that there is.
pub const FUNCTIONS: [&str; 8] = [
    "back-office",
    "bundle-redemption",
    "bundle-transitions",
    "churn-prediction",
    "points-award",
    "points-redemption",
    "tier-recalculation",
    "weekly-report",
];

/// The functions' addresses, without a slash at the end.
#[derive(Debug)]
pub struct FunctionAddresses {
    /// Of all that have none of their own: they answer below `/lambda-url/<function>/` there.
    common: Option<String>,
    by_function: BTreeMap<&'static str, String>,
}

impl FunctionAddresses {
    /// Reads addresses as they are given: `URL`, or `FUNCTION=URL`.
    pub fn parse(urls: &[String]) -> anyhow::Result<Self> {
        let (mut common, mut by_function) = (None, BTreeMap::new());
        for given in urls {
            let is_repeated = match given.split_once('=').filter(|(name, _)| !name.contains(':')) {
                Some((name, url)) => {
                    let function = FUNCTIONS.into_iter().find(|function| *function == name);
                    let function = function
                        .with_context(|| format!("there is no function {name:?}, only {}", FUNCTIONS.join(", ")))?;
                    by_function.insert(function, parse_address(url)?).is_some()
                }
                None => common.replace(parse_address(given)?).is_some(),
            };
            if is_repeated {
                bail!("{given:?} is a second address for the same");
            }
        }
        Ok(Self { common, by_function })
    }

    /// Where a function answers.
    pub fn address_of(&self, function: &str) -> anyhow::Result<String> {
        let by_function = self.by_function.get(function).cloned();
        by_function
            .or_else(|| self.common.as_ref().map(|common| format!("{common}/lambda-url/{function}")))
            .with_context(|| format!("no address was given for {function}: --url {function}=https://…"))
    }

    /// Refuses addresses that leave out a function.
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
