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
pub struct Addresses {
    /// Of all that have none of their own: they answer below `/lambda-url/<function>/` there.
    shared: Option<String>,
    own: BTreeMap<&'static str, String>,
}

impl Addresses {
    /// Reads addresses as they are given: `URL`, or `FUNCTION=URL`.
    pub fn read(given: &[String]) -> anyhow::Result<Self> {
        let (mut shared, mut own) = (None, BTreeMap::new());
        for given in given {
            let twice = match given.split_once('=').filter(|(name, _)| !name.contains(':')) {
                Some((name, url)) => {
                    let known = FUNCTIONS.into_iter().find(|function| *function == name);
                    let known = known
                        .with_context(|| format!("there is no function {name:?}, only {}", FUNCTIONS.join(", ")))?;
                    own.insert(known, address(url)?).is_some()
                }
                None => shared.replace(address(given)?).is_some(),
            };
            if twice {
                bail!("{given:?} is a second address for the same");
            }
        }
        Ok(Self { shared, own })
    }

    /// Where a function answers.
    pub fn of(&self, function: &str) -> anyhow::Result<String> {
        let own = self.own.get(function).cloned();
        own.or_else(|| self.shared.as_ref().map(|shared| format!("{shared}/lambda-url/{function}")))
            .with_context(|| format!("no address was given for {function}: --url {function}=https://…"))
    }

    /// Refuses addresses that leave out a function.
    pub fn of_every_function(&self) -> anyhow::Result<()> {
        FUNCTIONS.into_iter().try_for_each(|function| self.of(function).map(drop))
    }
}

fn address(text: &str) -> anyhow::Result<String> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        bail!("the address {text:?} must begin with http:// or https://");
    }
    Url::parse(text).with_context(|| format!("{text:?} is not an address"))?;
    Ok(text.trim_end_matches('/').to_owned())
}
