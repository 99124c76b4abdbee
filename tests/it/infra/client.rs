//! The typed client: a request reaches its operation unchanged, and answers and problems are read by their types.

use back_office::customers::{CustomerRequest, GetCustomer};
use bundle_redemption::void::{BundleVoidRequest, VoidBundleRedemption};
use client::{Call, HttpAnswer, InvalidValue, Problem, value};
use harness::{
    Request, Response, World, instant, scenario, valid,
    world::{ORG, noon},
};
use points_award::{
    award::AwardOrder,
    refund_void::{RefundVoidRequest, VoidRefund},
};
use serde_json::{Value, json};
use shared::{
    domain::{
        ids::OrgId,
        money::Money,
        points::Points,
        rejection::{RefusalCode, RejectionKind},
    },
    host::Success,
};

/// An id with every character that is not a letter or a digit.
const ODD_ID: &str = "a.b_c:d@e+f-g";

fn answer(response: &Response) -> HttpAnswer {
    HttpAnswer { status: response.status.as_u16(), body: response.body.clone() }
}

#[tokio::test]
async fn an_id_of_every_allowed_character_survives_a_path_a_query_and_a_body() {
    let world = World::new().await;
    assert_eq!(world.send(&Request::put_customer(ORG, ODD_ID)).await.status, 201);
    let read = world.send(&Request::get_customer(ORG, ODD_ID)).await;
    let customer = answer(&read).read::<GetCustomer>().unwrap().unwrap().answer;
    assert_eq!(customer.customer_id.as_str(), ODD_ID);
    assert_eq!(world.send(&scenario::award(ODD_ID, ODD_ID, "49.99", &json!({}))).await.status, 201);
    assert_eq!(world.send(&scenario::refund_request(ODD_ID, ODD_ID, ODD_ID, None)).await.status, 201);
    let voided = world.send(&scenario::void_refund(ODD_ID, ODD_ID, ODD_ID)).await;
    let voided = answer(&voided).read::<VoidRefund>().unwrap().unwrap();
    assert_eq!((voided.success, voided.answer.points_restored), (Success::Done, Some(Points(49))));
}

#[tokio::test]
async fn an_answer_is_read_by_its_type_with_how_the_operation_succeeded() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({})).await;
    for success in [Success::Created, Success::Replayed] {
        let response = answer(&world.send(&scenario::award("ada", "o1", "49.99", &json!({}))).await);
        let accepted = response.read::<AwardOrder>().unwrap().unwrap();
        assert_eq!((accepted.success, accepted.answer.points_awarded), (success, Points(49)));
        let mut body = response.body;
        body.as_object_mut().unwrap().remove("replayed");
        assert_eq!(json!(accepted.answer), body);
    }
    let refused = answer(&world.send(&scenario::award("nobody", "o2", "1", &json!({}))).await);
    let problem = refused.read::<AwardOrder>().unwrap().unwrap_err();
    assert!(problem.is(RefusalCode::UnknownCustomer) && problem.is_of_kind(RejectionKind::NotFound));
    assert_eq!(problem.to_string(), "404 unknown_customer: The org has no customer with this id.");
    let invalid = json!({"orderTotal": -1, "more": 1});
    let invalid = answer(&world.send(&scenario::award("ada", "o3", "1", &invalid)).await).problem();
    let summary = "422 invalid_fields: more is not a field of this request; orderTotal must be an amount from 0 to \
                   100000000000 with at most two decimals";
    assert_eq!(invalid.to_string(), summary);

    let unlike = HttpAnswer { status: 201, body: json!({"pointsAwarded": 49}) };
    let error = unlike.read::<AwardOrder>().unwrap_err();
    assert_eq!(error.to_string(), "points-award answers award with what it does not declare");
    let elsewhere = HttpAnswer { status: 502, body: Value::Null };
    assert_eq!(elsewhere.problem(), Problem { status: 502, ..Problem::default() });
}

#[test]
fn the_fields_outside_the_path_are_the_query_of_a_delete_and_a_call_has_its_headers() {
    let void = RefundVoidRequest {
        org_id: valid(ORG),
        customer_id: None,
        order_id: valid("o 1".replace(' ', "+")),
        refund_id: valid(ODD_ID),
    };
    let call = Call::<VoidRefund>::new(&void).unwrap().at(noon()).only_create();
    let http = call.http();
    assert_eq!((http.function, http.method, &http.body), ("points-award", "DELETE", &None));
    assert_eq!(http.path, "/refunds/a.b_c%3Ad%40e%2Bf-g?orderId=o%2B1&orgId=shop");
    let now = instant("2026-06-01T12:00:00Z");
    let headers = [("x-regulars-now", shared::domain::time::text(now)), ("if-none-match", "*".to_owned())];
    assert_eq!(http.headers, headers);
    let void = BundleVoidRequest { org_id: valid(ORG), order_id: valid("o1"), bundle_id: valid("b") };
    let http = Call::<VoidBundleRedemption>::new(&void).unwrap().http().clone();
    assert_eq!((http.function, http.path.as_str()), ("bundle-redemption", "/redemptions/o1?bundleId=b&orgId=shop"));
    let read = CustomerRequest { org_id: valid(ORG), customer_id: valid("ada") };
    assert_eq!(Call::<GetCustomer>::new(&read).unwrap().http().path, "/orgs/shop/customers/ada");
}

#[test]
fn a_value_keeps_the_rules_of_the_functions() {
    assert_eq!(value::<Money>("49.90").unwrap(), Money::from_minor(4_990).unwrap());
    let refused: Result<OrgId, InvalidValue> = value("a shop");
    let says = "\"a shop\" must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ + - and not \".\" or \"..\"";
    assert_eq!(refused.unwrap_err().to_string(), says);
}
