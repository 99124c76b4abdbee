//! The queue with a function's failed calls.

use std::{collections::BTreeMap, time::Duration};

use anyhow::bail;
use aws_sdk_sqs::{
    Client,
    types::{ChangeMessageVisibilityBatchRequestEntry, Message},
};

use crate::{deployed_stack::DeployedStack, invoke::INVOKE_TIMEOUT, service_error::ServiceError};

/// Maximum number of messages in one batch request, by the limit of SQS.
const BATCH_ENTRIES_MAX: usize = 10;

/// How long a message is hidden from other receivers, from the start of each call. Longer than any call takes.
const VISIBILITY_TIMEOUT: Duration = INVOKE_TIMEOUT.saturating_add(Duration::from_mins(1));

/// Time to wait for a message, in seconds. With a wait, SQS queries all of its servers. Without a wait, it queries only
/// some.
const RECEIVE_WAIT_SECONDS: i32 = 1;

/// The queue, with the received messages that are not deleted yet.
pub(crate) struct FailureQueue<'a> {
    stack: &'a DeployedStack,
    client: Client,
    name: String,
    url: String,
    /// The receipt handle of each held message, by the message's id.
    held: BTreeMap<String, String>,
}

/// A received message.
pub(crate) struct QueueMessage {
    pub(crate) id: String,
    pub(crate) body: String,
}

/// The result of a receive request.
pub(crate) enum Received {
    New(QueueMessage),
    /// A message that was received before and became visible again. It stays held.
    Repeated,
    Empty,
}

impl<'a> FailureQueue<'a> {
    /// Finds the queue of a function.
    pub(crate) async fn open(stack: &'a DeployedStack, function: &str) -> anyhow::Result<Self> {
        let (client, name) = (Client::new(&stack.config), stack.failure_queue_name(function));
        let answer = client.get_queue_url().queue_name(&name).send().await;
        let answer = answer.map_err(|error| {
            stack.service_error("SQS", &error).with_not_found(|| stack.not_found(&format!("queue {name}")))
        })?;
        let url = answer.queue_url().unwrap_or_default().to_owned();
        Ok(Self { stack, client, name, url, held: BTreeMap::new() })
    }

    /// The full name of the queue.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Receives one message. A second message would wait during the calls of the first, and become visible to other
    /// receivers.
    pub(crate) async fn receive(&mut self) -> anyhow::Result<Received> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(1);
        let answer = request
            .visibility_timeout(seconds(VISIBILITY_TIMEOUT))
            .wait_time_seconds(RECEIVE_WAIT_SECONDS)
            .send()
            .await;
        let answer = answer.map_err(|error| self.stack.service_error("SQS", &error))?;
        let message = answer.messages.unwrap_or_default().into_iter().next();
        let Some(Message { message_id, receipt_handle, body, .. }) = message else { return Ok(Received::Empty) };
        let id = message_id.unwrap_or_default();
        let is_held = self.held.insert(id.clone(), receipt_handle.unwrap_or_default()).is_some();
        Ok(if is_held {
            Received::Repeated
        } else {
            Received::New(QueueMessage { id, body: body.unwrap_or_default() })
        })
    }

    /// Keeps a message hidden for as long as another call may take.
    pub(crate) async fn extend_hold(&self, id: &str) -> Result<(), ServiceError> {
        let receipt = self.held.get(id).map(String::as_str).unwrap_or_default();
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let answer = request.visibility_timeout(seconds(VISIBILITY_TIMEOUT)).send().await;
        answer.map(drop).map_err(|error| self.stack.service_error("SQS", &error))
    }

    /// Deletes a message.
    pub(crate) async fn delete(&mut self, id: &str) -> Result<(), ServiceError> {
        let receipt = self.held.get(id).map(String::as_str).unwrap_or_default();
        let answer = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await;
        answer.map_err(|error| self.stack.service_error("SQS", &error))?;
        self.held.remove(id);
        Ok(())
    }

    /// Makes the held messages visible at once. If that fails, they become visible by themselves later.
    pub(crate) async fn release(self) -> anyhow::Result<()> {
        let receipts: Vec<&String> = self.held.values().collect();
        for batch in receipts.chunks(BATCH_ENTRIES_MAX) {
            let mut entries = Vec::new();
            for (index, receipt) in batch.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                let entry = entry.receipt_handle(*receipt).visibility_timeout(0).build();
                entries.push(entry?);
            }
            let request = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
            let later = format!(
                "the messages left in {} become visible again in {} minutes",
                self.name,
                VISIBILITY_TIMEOUT.as_secs() / 60
            );
            match request.send().await {
                Ok(answer) if answer.failed().is_empty() => {}
                Ok(_) => bail!("not all messages could be given back; {later}"),
                Err(error) => bail!("{}; {later}", self.stack.service_error("SQS", &error)),
            }
        }
        Ok(())
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
