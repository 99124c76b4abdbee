//! Tells a Slack channel, by its incoming webhook. That nobody can be told is no reason for there to be no report.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use shared::{
    clock::Deadline, config::Config, domain::ids::OrgId, error::chain, failure::Failure, http_client, secrets,
};

use crate::answer::{MessageOutcome, OrgReport};

/// How long it may take to find the webhook and to be heard.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// What the answer may take afterwards.
const ANSWER_RESERVE: Duration = Duration::from_secs(1);

/// How many orgs a message shows; what is beyond is in the log.
const ORGS_SHOWN_MAX: usize = 20;

/// Room for how many orgs more there are.
const REMAINDER_NOTE_RESERVE: usize = 50;

/// The longest message that is sent, in characters: Slack cuts off what is longer than forty thousand.
const MESSAGE_CHARS_MAX: usize = 39_000;

/// What there is to tell.
pub(crate) struct WeeklyMessage<'a> {
    pub(crate) reports: &'a [OrgReport],
    /// How many there are, those included that are not kept.
    pub(crate) count: usize,
    pub(crate) errors: &'a [OrgId],
    /// Whether orgs are left that there was no time for.
    pub(crate) goes_on: bool,
}

/// Sends the news, if there is a webhook and anything to say. The report has to be answered by `deadline`, heard or not.
pub(crate) async fn notify(config: &Config, news: &WeeklyMessage<'_>, deadline: Deadline) -> MessageOutcome {
    if config.slack_webhook.is_none() {
        return MessageOutcome::NotConfigured;
    }
    if news.count == 0 && news.errors.is_empty() {
        return MessageOutcome::NothingToSay;
    }
    let timeout = deadline.remaining().saturating_sub(ANSWER_RESERVE).min(SEND_TIMEOUT);
    let sent = tokio::time::timeout(timeout, send(config, text(news))).await;
    match sent.unwrap_or(Err(SlackError::NoAnswer(timeout))) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(error = chain(&error), "the channel was not told");
            MessageOutcome::Failed
        }
    }
}

/// Why the channel was not notified.
#[derive(Debug, thiserror::Error)]
enum SlackError {
    #[error("the webhook cannot be read")]
    Webhook(#[source] Failure),
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("Slack answered {0}")]
    Refused(StatusCode),
    #[error("no answer within {0:?}")]
    NoAnswer(Duration),
}

async fn send(config: &Config, text: String) -> Result<MessageOutcome, SlackError> {
    let webhook = secrets::resolve(config.slack_webhook.as_ref(), config.secrets_endpoint.as_deref()).await;
    let webhook = webhook.map_err(SlackError::Webhook)?;
    let Some(webhook) = webhook else { return Ok(MessageOutcome::NotConfigured) };
    let message = json!({ "text": text }).to_string();
    let request =
        http_client::client()?.post(webhook.expose()).header("content-type", "application/json").body(message);
    // Whoever has the address can write there: it is a secret, and an error would have it in it.
    let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    if status.is_success() { Ok(MessageOutcome::Sent) } else { Err(SlackError::Refused(status)) }
}

/// The message, in Slack's own markup: of as many orgs as there is room for, each whole, and what is not in it.
fn text(news: &WeeklyMessage<'_>) -> String {
    let mut notes = Vec::new();
    if !news.errors.is_empty() {
        let named: Vec<&str> = news.errors.iter().take(ORGS_SHOWN_MAX).map(OrgId::as_str).collect();
        notes.push(format!("Could not be counted: {} ({})", news.errors.len(), named.join(", ")));
    }
    if news.goes_on {
        notes.push("There was no time for all shops: these are not all.".into());
    }
    let length = |text: &String| text.chars().count() + 1;
    let mut room = MESSAGE_CHARS_MAX.saturating_sub(REMAINDER_NOTE_RESERVE + notes.iter().map(length).sum::<usize>());
    let mut parts = Vec::new();
    for report in news.reports.iter().take(ORGS_SHOWN_MAX) {
        let (name, lines) = (escaped(&report.name), escaped(&report.lines.join("\n")));
        let shown = format!("*{name}* ({})\n```{lines}```", report.org_id);
        let Some(left) = room.checked_sub(length(&shown)) else { break };
        room = left;
        parts.push(shown);
    }
    let more = news.count.saturating_sub(parts.len());
    if more > 0 {
        parts.push(format!("and {more} more, in the log"));
    }
    parts.append(&mut notes);
    parts.join("\n")
}

/// What people have written, so that it is text to Slack and no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "'")
}
