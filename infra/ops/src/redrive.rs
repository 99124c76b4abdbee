//! `ctl redrive`: replays the failed calls of a function, each once.
//!
//! A message that succeeds is deleted from the queue. A message that fails is held until the end, so that it is
//! received only once, and then given back.

use std::process::ExitCode;

use anyhow::anyhow;
use shared::{domain::rejection::RefusalCode, host::stop_signal};

use crate::{
    deployed_stack::{DeployedStack, LIVE_ALIAS},
    failed_call::FailedCall,
    failure_queue::{FailureQueue, QueueMessage, Received},
    invoke::{InvokeOutcome, Invoker, answer_summary, is_incomplete},
    service_error::ServiceErrorKind,
};
use ctl::output::{print_error, print_line};

/// The only final rejection of a call that is not an event. No work remains for a deleted org.
const ORG_DELETED: RefusalCode = RefusalCode::UnknownOrg;

/// Counts of the messages so far.
#[derive(Default)]
struct RedriveCounts {
    replayed: usize,
    rejected: usize,
    failed: usize,
}

/// A redrive of one function's queue.
struct Redrive<'a> {
    stack: &'a DeployedStack,
    function: &'a str,
    invoker: Invoker<'a>,
    queue: FailureQueue<'a>,
    counts: RedriveCounts,
}

/// The outcome of one message.
enum ReplayOutcome {
    Replayed { call_count: usize },
    Rejected(String),
    Failed(String),
}

/// Replays at most `message_limit` messages of a function's queue. A dry run only lists them.
pub(crate) async fn run(
    stack: &DeployedStack,
    function: &str,
    message_limit: usize,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let stop = stop_signal();
    let (queue, invoker) = (FailureQueue::open(stack, function).await?, Invoker::new(stack));
    let mut redrive = Redrive { stack, function, invoker, queue, counts: RedriveCounts::default() };
    let outcome = tokio::select! {
        outcome = redrive.replay_all(message_limit, dry_run) => outcome,
        () = stop => Err(anyhow!("interrupted: the call that was under way stays in the queue, done or not")),
    };
    let Redrive { counts: RedriveCounts { replayed, rejected, failed }, queue, .. } = redrive;
    let name = queue.name().to_owned();
    if let Err(error) = queue.release().await {
        print_error(&format!("ctl: {error:#}"));
    }
    let message_count = outcome?;
    if dry_run {
        print_line(&format!("{message_count} in {name}; nothing was changed"));
        return Ok(ExitCode::SUCCESS);
    }
    print_line(&format!("{replayed} replayed, {rejected} refused for good, {failed} still failing"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Redrive<'_> {
    /// Receives messages until the queue is empty or the limit is reached. Returns the number of messages.
    async fn replay_all(&mut self, message_limit: usize, dry_run: bool) -> anyhow::Result<usize> {
        let mut message_count = 0;
        while message_count < message_limit {
            let message = match self.queue.receive().await? {
                Received::New(message) => message,
                Received::Repeated => continue,
                Received::Empty => break,
            };
            message_count += 1;
            if dry_run {
                print_line(
                    &FailedCall::parse(&message.body)
                        .map_or_else(|error| unreadable_message(&message, &error), |call| call.describe()),
                );
            } else {
                self.replay(&message).await?;
            }
        }
        Ok(message_count)
    }

    /// Replays one message and prints the outcome.
    async fn replay(&mut self, message: &QueueMessage) -> anyhow::Result<()> {
        let call = match FailedCall::parse(&message.body) {
            Ok(call) => call,
            Err(error) => {
                self.counts.failed += 1;
                print_line(&unreadable_message(message, &error));
                return Ok(());
            }
        };
        let description = call.describe();
        let outcome = match self.call(message, &call).await? {
            ReplayOutcome::Failed(reason) => ReplayOutcome::Failed(reason),
            finished => match self.queue.delete(&message.id).await {
                Ok(()) => finished,
                Err(error) => ReplayOutcome::Failed(format!("done, and still in the queue: {error}")),
            },
        };
        match outcome {
            ReplayOutcome::Replayed { call_count } => {
                self.counts.replayed += 1;
                let suffix = if call_count > 1 { format!(" in {call_count} calls") } else { String::new() };
                print_line(&format!("{description}: replayed{suffix}"));
            }
            ReplayOutcome::Rejected(reason) => {
                self.counts.rejected += 1;
                print_line(&format!("{description}: refused for good: {reason}"));
            }
            ReplayOutcome::Failed(reason) => {
                self.counts.failed += 1;
                print_line(&format!("{description}: still failing: {reason}"));
            }
        }
        Ok(())
    }

    /// Calls the function until it returns no cursor. Fails only with an error that would fail every other message too.
    async fn call(&self, message: &QueueMessage, call: &FailedCall) -> anyhow::Result<ReplayOutcome> {
        let function = self.stack.resource_name(self.function);
        let (mut payload, mut call_count, mut incomplete) = (call.payload.clone(), 0, None);
        loop {
            call_count += 1;
            match self.queue.extend_hold(&message.id).await {
                Ok(()) => {}
                Err(error) if error.kind == ServiceErrorKind::AccountUnusable => return Err(error.into()),
                Err(error) => {
                    return Ok(ReplayOutcome::Failed(format!("another receiver may have the message: {error}")));
                }
            }
            let answer = match self.invoker.call(&function, Some(LIVE_ALIAS), &payload).await {
                Ok(InvokeOutcome::Succeeded(answer)) => answer,
                Ok(InvokeOutcome::Rejected(problem)) => {
                    let is_for_good = call.is_event() || problem.is(ORG_DELETED);
                    let reason = problem.summary();
                    return Ok(if is_for_good {
                        ReplayOutcome::Rejected(reason)
                    } else {
                        ReplayOutcome::Failed(reason)
                    });
                }
                Ok(InvokeOutcome::Failed(reason)) => return Ok(ReplayOutcome::Failed(reason)),
                Err(error) if error.kind == ServiceErrorKind::RequestFailed => {
                    return Ok(ReplayOutcome::Failed(error.to_string()));
                }
                Err(error) => return Err(error.with_not_found(|| self.stack.function_not_found(self.function)).into()),
            };
            // An incomplete answer does not stop the sweep, so that the other orgs are still processed.
            incomplete = incomplete.or_else(|| is_incomplete(&answer).then(|| answer_summary(&answer)));
            match answer.get("cursor").filter(|cursor| !cursor.is_null()) {
                None => {
                    let reason = incomplete.map(|summary| format!("it did not succeed with all: {summary}"));
                    return Ok(reason.map_or(ReplayOutcome::Replayed { call_count }, ReplayOutcome::Failed));
                }
                Some(cursor) if payload.get("cursor") == Some(cursor) => {
                    return Ok(ReplayOutcome::Failed("it does not get on".into()));
                }
                Some(cursor) => payload = call.continued_from(cursor),
            }
        }
    }
}

fn unreadable_message(message: &QueueMessage, error: &anyhow::Error) -> String {
    format!("the message {} {error:#}; it is left as it is", message.id)
}
