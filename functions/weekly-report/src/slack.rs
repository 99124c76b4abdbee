//! Tells a Slack channel, by its incoming webhook. That nobody can be told is no reason for there to be no report.

use std::time::Duration;

use serde_json::json;
use shared::{config::Config, domain::ids::OrgId, secrets, web};

use crate::answer::{Message, Report};

/// How long it may take to find the webhook and to be heard.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many orgs a message shows; what is beyond is in the log.
const SHOWN: usize = 20;

/// The longest message that is sent, in characters: Slack cuts off what is longer than forty thousand.
const LONGEST: usize = 39_000;

/// What there is to tell.
pub(crate) struct News<'a> {
    pub(crate) reports: &'a [Report],
    /// How many there are, those included that are not kept.
    pub(crate) count: usize,
    pub(crate) errors: &'a [OrgId],
    /// Whether orgs are left that there was no time for.
    pub(crate) goes_on: bool,
}

/// Sends the news, if there is a webhook and anything to say.
pub(crate) async fn tell(config: &Config, news: &News<'_>) -> Message {
    if config.slack_webhook.is_none() {
        return Message::NotConfigured;
    }
    if news.count == 0 && news.errors.is_empty() {
        return Message::NothingToSay;
    }
    let sent = tokio::time::timeout(PATIENCE, send(config, text(news))).await;
    match sent.unwrap_or_else(|_| Err(format!("no answer within {} seconds", PATIENCE.as_secs()))) {
        Ok(message) => message,
        Err(why) => {
            tracing::error!(why, "the channel was not told");
            Message::Failed
        }
    }
}

async fn send(config: &Config, text: String) -> Result<Message, String> {
    let webhook = secrets::held(config.slack_webhook.as_ref(), config.secrets_endpoint.as_deref()).await;
    let webhook = webhook.map_err(|failure| format!("the webhook can't be read: {failure:?}"))?;
    let Some(webhook) = webhook else { return Ok(Message::NotConfigured) };
    let message = json!({ "text": text }).to_string();
    let request = web::client()?.post(webhook.expose()).header("content-type", "application/json").body(message);
    // Whoever has the address can write there: it is a secret, and an error would have it in it.
    let answer = request.send().await.map_err(|error| web::chain(&error.without_url()))?;
    let status = answer.status();
    if status.is_success() { Ok(Message::Sent) } else { Err(status.to_string()) }
}

/// The message, in Slack's own markup.
fn text(news: &News<'_>) -> String {
    let shown = news.reports.iter().take(SHOWN).map(|report| {
        let (name, lines) = (escaped(&report.name), escaped(&report.lines.join("\n")));
        format!("*{name}* ({})\n```{lines}```", report.org_id)
    });
    let mut parts: Vec<String> = shown.collect();
    if let Some(more) = news.count.checked_sub(SHOWN).filter(|more| *more > 0) {
        parts.push(format!("and {more} more, in the log"));
    }
    if !news.errors.is_empty() {
        let named: Vec<&str> = news.errors.iter().take(SHOWN).map(OrgId::as_str).collect();
        parts.push(format!("Could not be counted: {} ({})", news.errors.len(), named.join(", ")));
    }
    if news.goes_on {
        parts.push("There was no time for all shops: these are not all.".into());
    }
    parts.join("\n").chars().take(LONGEST).collect()
}

/// What people have written, so that it is text to Slack and no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "'")
}
