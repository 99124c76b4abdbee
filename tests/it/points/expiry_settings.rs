//! The settings of points in time: their rules, and what an org reads back.

use harness::{Request, World, world::ORG};
use serde_json::{Value, json};

fn put(settings: &Value) -> Request {
    Request::new("PUT", "back-office", format!("/orgs/{ORG}/loyalty")).json(settings)
}

#[tokio::test]
async fn points_stay_pending_for_0_to_90_days_and_expire_after_1_to_60_months() {
    let world = World::new().await;
    let invalid = [
        (json!({"pendingDays": -1}), "pendingDays"),
        (json!({"pendingDays": 91}), "pendingDays"),
        (json!({"pendingDays": 1.5}), "pendingDays"),
        (json!({"pointsExpiry": {"months": 0}}), "pointsExpiry.months"),
        (json!({"pointsExpiry": {"months": 61}}), "pointsExpiry.months"),
        (json!({"pointsExpiry": {}}), "pointsExpiry.months"),
        (json!({"pointsExpiry": {"months": 4, "roundTo": "day"}}), "pointsExpiry.roundTo"),
        (json!({"pointsExpiry": {"months": 3, "roundTo": "week"}}), "pointsExpiry.roundTo"),
        (json!({"pointsExpiry": {"months": 3, "days": 1}}), "pointsExpiry.days"),
        (json!({"pointsExpiry": 12}), "pointsExpiry"),
    ];
    for (settings, field) in invalid {
        let answer = world.send(&put(&settings)).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec![field]), "{settings}");
    }
    let valid = [
        (json!({"pendingDays": 90, "pointsExpiry": {"months": 60}}), json!([90, {"months": 60, "roundTo": "month"}])),
        (
            json!({"pendingDays": 0, "pointsExpiry": {"months": 3, "roundTo": "day"}}),
            json!([0, {"months": 3, "roundTo": "day"}]),
        ),
        (json!({"pointsExpiry": {"months": 4, "roundTo": "month"}}), json!([0, {"months": 4, "roundTo": "month"}])),
        (json!({"pointsExpiry": null}), json!([0, null])),
        (json!({}), json!([0, null])),
    ];
    for (settings, expected) in valid {
        assert_eq!(world.send(&put(&settings)).await.status, 200, "{settings}");
        let stored = world.get(&format!("/orgs/{ORG}/loyalty")).await.body;
        assert_eq!(json!([stored["pendingDays"], stored["pointsExpiry"]]), expected, "{settings}");
        // What an org reads back, it can write.
        let mut again = stored.clone();
        again.as_object_mut().unwrap().remove("orgId");
        assert_eq!(world.send(&put(&again)).await.body, stored);
    }
}
