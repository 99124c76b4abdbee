//! Lines of Lambda, and events.

use chrono::TimeDelta;
use harness::{
    World,
    scenario::{award, event},
    world::{ORG, noon},
};
use serde_json::{Value, json};

/// Lambda's log line after an invocation that returned or failed.
pub(super) const ENDED: &str =
    "REPORT RequestId: 8f5\tDuration: 2.10 ms\tBilled Duration: 3 ms\tMemory Size: 256 MB\tMax Memory Used: 24 MB\t";

/// Lambda's log line after an invocation that timed out.
pub(super) const OUT_OF_TIME: &str = "REPORT RequestId: 8f5\tDuration: 9000.00 ms\tBilled Duration: 9000 ms\tMemory Size: 256 MB\tMax Memory Used: 24 MB\tStatus: timeout";

/// Lambda's log line after an invocation that ran out of memory.
pub(super) const OUT_OF_MEMORY: &str = "REPORT RequestId: 8f5\tDuration: 9.11 ms\tBilled Duration: 10 ms\tMemory Size: 256 MB\tMax Memory Used: 256 MB\tStatus: error\tError Type: Runtime.OutOfMemory";

/// Lambda's log line after an invocation in which the process exited.
pub(super) const CRASHED: &str = "REPORT RequestId: 8f5\tDuration: 9.11 ms\tBilled Duration: 10 ms\tMemory Size: 256 MB\tMax Memory Used: 24 MB\tStatus: error\tError Type: Runtime.ExitError";

pub(super) fn fulfilled(order: &str, bundles: &[&str]) -> Value {
    let detail = json!({"orgId": ORG, "customerId": "ada", "orderId": order, "orderTotal": 40, "bundleIds": bundles});
    event("OrderFulfilled", detail)
}

/// Creates a customer with six orders, the last this many days before noon. Many days mean critical risk.
pub(super) async fn active(world: &World, name: &str, days_ago: i64) {
    world.put_customer(ORG, name, &json!({})).await;
    for number in 0..6 {
        let at = noon() - TimeDelta::days(days_ago + 2 * number);
        let fulfilled = json!({"fulfilledAt": shared::domain::time::text(at)});
        assert_eq!(world.send_at(&award(name, &format!("{name}-{number}"), "4", &fulfilled), at).await.status, 201);
    }
}
