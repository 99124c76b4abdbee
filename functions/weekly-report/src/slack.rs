//! Posts the report to a Slack channel through an incoming webhook. A failure of the post does not fail the report.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use shared::{
    clock::Deadline, config::Config, domain::ids::OrgId, error::chain, failure::Failure, http_client, secrets,
};

use crate::answer::{MessageOutcome, OrgWeek};

/// The longest time to read the webhook's address and to post the message.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// The time reserved for the answer after the post.
const ANSWER_RESERVE: Duration = Duration::from_secs(1);

/// The maximum number of orgs in a message. The log contains all orgs.
const ORGS_SHOWN_MAX: usize = 20;

/// Characters reserved for the note on the orgs left out.
const REMAINDER_NOTE_RESERVE: usize = 50;

/// The longest message, in characters. Slack truncates a message after 40,000 characters.
const MESSAGE_CHARS_MAX: usize = 39_000;

/// The content of a message.
pub(crate) struct WeeklyMessage<'a> {
    pub(crate) weeks: &'a [OrgWeek],
    /// The number of counted orgs, including the orgs left out of `weeks`.
    pub(crate) count: usize,
    pub(crate) errors: &'a [OrgId],
    /// Whether the call ran out of time before the last org.
    pub(crate) goes_on: bool,
}

/// Posts the message, if a webhook is configured and the message has content.
///
/// The post ends in time for the report's answer at `deadline`, whether it succeeds or not.
pub(crate) async fn notify(config: &Config, message: &WeeklyMessage<'_>, deadline: Deadline) -> MessageOutcome {
    if config.slack_webhook.is_none() {
        return MessageOutcome::NotConfigured;
    }
    if message.count == 0 && message.errors.is_empty() {
        return MessageOutcome::NothingToSay;
    }
    let timeout = deadline.remaining().saturating_sub(ANSWER_RESERVE).min(SEND_TIMEOUT);
    let sent = tokio::time::timeout(timeout, send(config, text(message))).await;
    match sent.unwrap_or(Err(SlackError::NoAnswer(timeout))) {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(error = chain(&error), "Slack was not notified");
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
    let body = json!({ "text": text }).to_string();
    let request = http_client::client()?.post(webhook.expose()).header("content-type", "application/json").body(body);
    // The address is a secret, because it alone allows posts to the channel. An error would contain it.
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    if status.is_success() { Ok(MessageOutcome::Sent) } else { Err(SlackError::Refused(status)) }
}

/// The text in Slack's markup. It contains as many complete org reports as fit, and notes on the orgs left out.
fn text(message: &WeeklyMessage<'_>) -> String {
    let mut notes = Vec::new();
    if !message.errors.is_empty() {
        let named: Vec<&str> = message.errors.iter().take(ORGS_SHOWN_MAX).map(OrgId::as_str).collect();
        notes.push(format!("Could not be counted: {} ({})", message.errors.len(), named.join(", ")));
    }
    if message.goes_on {
        notes.push("There was no time for all shops: these are not all.".into());
    }
    let length = |text: &String| text.chars().count() + 1;
    let mut room = MESSAGE_CHARS_MAX.saturating_sub(REMAINDER_NOTE_RESERVE + notes.iter().map(length).sum::<usize>());
    let mut parts = Vec::new();
    for week in message.weeks.iter().take(ORGS_SHOWN_MAX) {
        let (name, lines) = (escaped(week.name.as_str()), escaped(&week.lines.join("\n")));
        let shown = format!("*{name}* ({})\n```{lines}```", week.org_id);
        let Some(left) = room.checked_sub(length(&shown)) else { break };
        room = left;
        parts.push(shown);
    }
    let more = message.count.saturating_sub(parts.len());
    if more > 0 {
        parts.push(format!("and {more} more, in the log"));
    }
    parts.append(&mut notes);
    parts.join("\n")
}

/// Escapes text from users, so that Slack shows it as text and not as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "'")
}
