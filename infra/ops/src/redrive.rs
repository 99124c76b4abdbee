//! `ctl redrive`: the calls that a function failed are made again, each once. What succeeds is removed from the queue;
//! what fails is held until the end, so that it comes no second time, and given back then.

use std::process::ExitCode;

use anyhow::anyhow;
use shared::host::stop_signal;

use crate::{
    cloud::{Cloud, LIVE},
    invoke::{Invoker, Outcome, is_unsuccessful, summary},
    message::Replay,
    queue::{Queue, Received, Taken},
    service_error::Kind,
};
use ctl::{
    complaint,
    report::{complain, say},
};

/// The only refusal of what is no event that is for good: an org that was removed has nothing left to be done for it.
const GONE: &str = "unknown_org";

/// What has come of the messages so far.
#[derive(Default)]
struct Tally {
    replayed: usize,
    refused: usize,
    failing: usize,
}

struct Redrive<'a> {
    cloud: &'a Cloud,
    function: &'a str,
    invoker: Invoker<'a>,
    queue: Queue<'a>,
    tally: Tally,
}

/// What came of one message.
enum Came {
    Replayed(usize),
    Refused(String),
    Failing(String),
}

/// Replays a function's queue, so many messages at most, or only lists them.
pub(crate) async fn command(cloud: &Cloud, function: &str, most: usize, only_list: bool) -> anyhow::Result<ExitCode> {
    let stop = stop_signal();
    let (queue, invoker) = (Queue::of(cloud, function).await?, Invoker::of(cloud));
    let mut redrive = Redrive { cloud, function, invoker, queue, tally: Tally::default() };
    let outcome = tokio::select! {
        outcome = redrive.run(most, only_list) => outcome,
        () = stop => Err(anyhow!("interrupted: the call that was under way stays in the queue, done or not")),
    };
    let Redrive { tally: Tally { replayed, refused, failing }, queue, .. } = redrive;
    let name = queue.name().to_owned();
    if let Err(error) = queue.give_back().await {
        complain(&format!("ctl: {error:#}"));
    }
    let seen = outcome?;
    if only_list {
        say(&format!("{seen} in {name}; nothing was changed"));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{replayed} replayed, {refused} refused for good, {failing} still failing"));
    Ok(if failing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Redrive<'_> {
    /// Goes through the queue until it gives nothing more; answers how many messages that were.
    async fn run(&mut self, most: usize, only_list: bool) -> anyhow::Result<usize> {
        let mut seen = 0;
        while seen < most {
            let message = match self.queue.take().await? {
                Taken::Fresh(message) => message,
                Taken::Again => continue,
                Taken::Nothing => break,
            };
            seen += 1;
            if only_list {
                say(&Replay::read(&message.body).map_or_else(|error| unread(&message, &error), |call| call.about()));
            } else {
                self.replay(&message).await?;
            }
        }
        Ok(seen)
    }

    /// Tries one message, and says what came of it.
    async fn replay(&mut self, message: &Received) -> anyhow::Result<()> {
        let call = match Replay::read(&message.body) {
            Ok(call) => call,
            Err(error) => {
                self.tally.failing += 1;
                say(&unread(message, &error));
                return Ok(());
            }
        };
        let about = call.about();
        let came = match self.call(message, &call).await? {
            Came::Failing(why) => Came::Failing(why),
            done => match self.queue.delete(&message.id).await {
                Ok(()) => done,
                Err(trouble) => Came::Failing(format!("done, and still in the queue: {trouble}")),
            },
        };
        match came {
            Came::Replayed(calls) => {
                self.tally.replayed += 1;
                let calls = if calls > 1 { format!(" in {calls} calls") } else { String::new() };
                say(&format!("{about}: replayed{calls}"));
            }
            Came::Refused(why) => {
                self.tally.refused += 1;
                say(&format!("{about}: refused for good: {why}"));
            }
            Came::Failing(why) => {
                self.tally.failing += 1;
                say(&format!("{about}: still failing: {why}"));
            }
        }
        Ok(())
    }

    /// Calls the function until it is through. What would fail every other message ends the run.
    async fn call(&self, message: &Received, call: &Replay) -> anyhow::Result<Came> {
        let function = self.cloud.named(self.function);
        let (mut payload, mut calls, mut unsuccessful) = (call.payload.clone(), 0, None);
        loop {
            calls += 1;
            match self.queue.hold(&message.id).await {
                Ok(()) => {}
                Err(trouble) if trouble.kind == Kind::OfAll => return Err(trouble.into()),
                Err(trouble) => {
                    return Ok(Came::Failing(format!("somebody else may have it: {trouble}")));
                }
            }
            let answer = match self.invoker.call(&function, Some(LIVE), &payload).await {
                Ok(Outcome::Done(answer)) => answer,
                Ok(Outcome::Refused(problem)) => {
                    let is_for_good = call.is_event() || problem.get("code").is_some_and(|code| code == GONE);
                    let why = complaint(&problem);
                    return Ok(if is_for_good { Came::Refused(why) } else { Came::Failing(why) });
                }
                Ok(Outcome::Failed(why)) => return Ok(Came::Failing(why)),
                Err(trouble) if trouble.kind == Kind::OfThis => return Ok(Came::Failing(trouble.to_string())),
                Err(trouble) => return Err(trouble.about(|| self.cloud.missing_function(self.function)).into()),
            };
            // The others of its orgs are to have their turn all the same.
            unsuccessful = unsuccessful.or_else(|| is_unsuccessful(&answer).then(|| summary(&answer)));
            match answer.get("cursor").filter(|cursor| !cursor.is_null()) {
                None => {
                    let why = unsuccessful.map(|told| format!("it did not succeed with all: {told}"));
                    return Ok(why.map_or(Came::Replayed(calls), Came::Failing));
                }
                Some(cursor) if payload.get("cursor") == Some(cursor) => {
                    return Ok(Came::Failing("it does not get on".into()));
                }
                Some(cursor) => payload = call.from(cursor),
            }
        }
    }
}

fn unread(message: &Received, error: &anyhow::Error) -> String {
    format!("the message {} {error:#}; it is left as it is", message.id)
}
