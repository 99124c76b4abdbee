//! A world that is watched: what its functions record goes to the alarms of the template, at the times of a test.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    Request, Response, World,
    cloudwatch::{CloudWatch, State},
    world::noon,
};

/// A world that is watched, at some time.
pub struct Watch {
    /// The world.
    pub world: World,
    /// What watches it.
    pub cloud: CloudWatch,
    /// What time it is.
    pub now: DateTime<Utc>,
}

impl Watch {
    /// One that is watched from noon on.
    pub fn of(world: World) -> Self {
        world.take_records();
        Self { world, cloud: CloudWatch::default(), now: noon() }
    }

    fn take(&mut self) {
        self.cloud.record(self.now, &self.world.take_records());
    }

    /// Somebody calls a function's URL.
    pub async fn send(&mut self, request: &Request) -> Response {
        let answer = self.world.send_at(request, self.now).await;
        self.take();
        answer
    }

    /// An event, a schedule or the state machine calls: Lambda counts an error where the invocation fails.
    pub async fn invoke(&mut self, function: &str, event: Value) -> Result<Value, &'static str> {
        let done = self.world.stack.call(function, event, Some(self.now)).await.unwrap();
        self.take();
        if done.is_err() {
            self.cloud.error(self.now, function);
        }
        done.map_err(|failed| failed.code)
    }

    /// Lambda writes a line to a function's log.
    pub fn lines(&mut self, function: &str, line: &str) {
        self.cloud.line(self.now, function, line);
    }

    /// The schedule's run.
    pub async fn run(&mut self) -> Result<Value, &'static str> {
        let event = json!({
            "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
            "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": "{}",
        });
        self.invoke("bundle-transitions", event).await
    }

    /// So many minutes pass, in which the schedule runs every so many.
    pub async fn runs(&mut self, minutes: i64, every: i64) {
        for _ in 0..minutes / every {
            self.pass(every);
            self.run().await.unwrap();
        }
    }

    /// So many minutes pass.
    pub fn pass(&mut self, minutes: i64) {
        self.now += TimeDelta::minutes(minutes);
    }

    /// Whether an alarm goes off within so many minutes.
    pub fn is_raised(&self, alarm: &str, within: i64) -> bool {
        (0..=within).any(|minute| self.cloud.state(alarm, self.now + TimeDelta::minutes(minute)) == State::Alarm)
    }

    /// An alarm goes off within so many minutes.
    pub fn fires(&self, alarm: &str, within: i64) {
        assert!(self.is_raised(alarm, within), "{alarm} is silent");
    }

    /// It does not, or not any more.
    pub fn is_silent(&self, alarm: &str) {
        assert!(!self.is_raised(alarm, 0), "{alarm} is not over");
    }
}
