//! A world whose metrics feed the template's alarms, with a clock that the test advances.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    Request, Response, World,
    cloudwatch::{CloudWatch, State},
    faults::{Fault, FaultDuration},
    world::noon,
};

/// A world whose metrics feed the template's alarms.
pub struct MonitoredWorld {
    /// The world.
    pub world: World,
    /// The alarms.
    pub cloudwatch: CloudWatch,
    /// The current time.
    pub now: DateTime<Utc>,
}

impl MonitoredWorld {
    /// Monitors `world` from noon on.
    pub fn new(world: World) -> Self {
        world.take_records();
        Self { world, cloudwatch: CloudWatch::default(), now: noon() }
    }

    /// Makes every request to the store fail from now on. The calls that meet the fault give up early. Only they do, so
    /// that no other call fails on a slow machine.
    pub fn break_store(&self, fault: Fault) {
        self.world.limit_calls(Some(Duration::from_millis(600)));
        self.world.proxy.fail(0, fault, FaultDuration::UntilHealed);
    }

    /// Ends what [`Self::break_store`] began.
    pub fn mend_store(&self) {
        self.world.proxy.heal();
        self.world.limit_calls(None);
    }

    fn record_metrics(&mut self) {
        self.cloudwatch.record_metrics(self.now, &self.world.take_records());
    }

    /// Calls the URL of a function.
    pub async fn send(&mut self, request: &Request) -> Response {
        let answer = self.world.send_at(request, self.now).await;
        self.record_metrics();
        answer
    }

    /// Invokes a function. A failed invocation counts as an error of Lambda.
    pub async fn invoke(&mut self, function: &str, event: Value) -> Result<Value, &'static str> {
        let outcome = self.world.call(function, event, self.now).await.unwrap();
        self.record_metrics();
        if outcome.is_err() {
            self.cloudwatch.record_error(self.now, function);
        }
        outcome.map_err(|failed| failed.code)
    }

    /// Records a line that Lambda writes to a function's log.
    pub fn log_line(&mut self, function: &str, line: &str) {
        self.cloudwatch.record_log_line(self.now, function, line);
    }

    /// Runs `bundle-transitions` by its schedule.
    pub async fn run_transitions(&mut self) -> Result<Value, &'static str> {
        let event = json!({
            "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "1",
            "time": "2026-06-01T12:00:00Z", "region": "r", "resources": [], "detail": "{}",
        });
        self.invoke("bundle-transitions", event).await
    }

    /// Advances the clock by `minutes` and runs `bundle-transitions` every `every` minutes.
    pub async fn run_transitions_for(&mut self, minutes: i64, every: i64) {
        for _ in 0..minutes / every {
            self.advance_minutes(every);
            self.run_transitions().await.unwrap();
        }
    }

    /// Advances the clock.
    pub fn advance_minutes(&mut self, minutes: i64) {
        self.now += TimeDelta::minutes(minutes);
    }

    /// Whether an alarm goes off within this many minutes.
    pub fn is_raised(&self, alarm: &str, minutes: i64) -> bool {
        (0..=minutes).any(|minute| self.cloudwatch.state(alarm, self.now + TimeDelta::minutes(minute)) == State::Alarm)
    }

    /// Asserts that an alarm goes off within this many minutes.
    pub fn assert_raised(&self, alarm: &str, minutes: i64) {
        assert!(self.is_raised(alarm, minutes), "{alarm} is not raised");
    }

    /// Asserts that an alarm is not raised now.
    pub fn assert_ok(&self, alarm: &str) {
        assert!(!self.is_raised(alarm, 0), "{alarm} is raised");
    }
}
