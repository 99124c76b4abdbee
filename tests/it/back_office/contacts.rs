//! Customers found at the till: by a telephone number, an e-mail address, a loyalty card or a name.

use std::{collections::BTreeSet, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    Request, Response, World,
    world::{ORG, noon},
};
use serde_json::{Value, json};

fn search(criterion: &Value) -> Request {
    Request::new("POST", "back-office", format!("/orgs/{ORG}/customers/search")).json(criterion)
}

fn patch(customer: &str, body: &Value) -> Request {
    Request::new("PATCH", "back-office", format!("/orgs/{ORG}/customers/{customer}")).json(body)
}

/// The ids of the customers found.
async fn found(world: &World, criterion: &Value) -> Vec<String> {
    let answer = world.send(&search(criterion)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    ids(&answer)
}

fn ids(answer: &Response) -> Vec<String> {
    let customers = answer.body["customers"].as_array().unwrap();
    customers.iter().map(|customer| customer["customerId"].as_str().unwrap().to_owned()).collect()
}

/// The sort keys of the customer's look-ups, and of the names, that are stored.
async fn lookups(world: &World) -> BTreeSet<String> {
    let items = world.client.scan().table_name(&world.table).send().await.unwrap().items.unwrap_or_default();
    let keys = items.iter().map(|item| (item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap()));
    let of_customer = keys.filter(|(pk, sk)| pk.starts_with("CONTACT#") || *sk == "NAME");
    of_customer.map(|(pk, sk)| format!("{} {sk}", pk.split('#').nth(2).unwrap())).collect()
}

#[tokio::test]
async fn a_customer_is_found_by_each_contact_however_it_is_written() {
    let world = World::new().await;
    let profile = json!({
        "firstName": "Ada", "lastName": "King", "phone": "(212) 555-0134", "email": "Ada@Example.com",
        "cardNumber": "A-17 x",
    });
    let ada = world.put_customer(ORG, "ada", &profile).await.body;
    for criterion in [
        json!({"phone": "+1 212 555 0134"}),
        json!({"phone": "212.555.0134"}),
        json!({"phone": "1-212-555-0134"}),
        json!({"email": "ADA@example.COM"}),
        json!({"cardNumber": "A-17 x"}),
    ] {
        let answer = world.send(&search(&criterion)).await;
        assert_eq!(answer.body, json!({"customers": [ada]}), "{criterion}");
    }
    for criterion in [
        json!({"phone": "212 555 0135"}),
        json!({"email": "ada@example.org"}),
        json!({"cardNumber": "a-17 x"}),
        json!({"cardNumber": "A-17"}),
    ] {
        assert!(found(&world, &criterion).await.is_empty(), "{criterion}");
    }
    let query = format!("/orgs/{ORG}/customers?phone=%2B12125550134");
    assert_eq!(world.get(&query).await.body, json!({"customers": [ada]}));
    let query = format!("/orgs/{ORG}/customers?cardNumber=A-17%20x");
    assert_eq!(ids(&world.get(&query).await), ["ada"]);
}

#[tokio::test]
async fn a_number_without_a_country_code_is_dialled_in_the_orgs_country() {
    let world = World::new().await;
    world.put_org(ORG, &json!({"name": "Laden", "country": "DE"})).await;
    world.put_customer(ORG, "ada", &json!({"phone": "030 901820"})).await;
    for phone in ["+49 30 901820", "0049 30 901820", "(030) 90-18-20"] {
        assert_eq!(found(&world, &json!({"phone": phone})).await, ["ada"], "{phone}");
    }
    let answer = world.put_org(ORG, &json!({"name": "Laden", "country": "de"})).await;
    assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["country"]));
    assert_eq!(world.get(&format!("/orgs/{ORG}")).await.body["country"], "DE");
}

#[tokio::test]
async fn a_change_of_contacts_moves_the_look_ups_and_an_erasure_removes_them() {
    let world = World::new().await;
    let profile = json!({"lastName": "King", "phone": "212 555 0134", "email": "a@b.example", "cardNumber": "17"});
    world.put_customer(ORG, "ada", &profile).await;
    assert_eq!(lookups(&world).await.len(), 4);
    world.put_customer(ORG, "ada", &json!({"lastName": "Byron", "phone": "212 555 0199", "cardNumber": "17"})).await;
    assert!(found(&world, &json!({"phone": "212 555 0134"})).await.is_empty());
    assert!(found(&world, &json!({"email": "a@b.example"})).await.is_empty());
    assert_eq!(found(&world, &json!({"phone": "212 555 0199"})).await, ["ada"]);
    assert_eq!(found(&world, &json!({"cardNumber": "17"})).await, ["ada"]);
    let path = format!("/orgs/{ORG}/customers/ada");
    assert_eq!(world.send(&Request::new("DELETE", "back-office", path)).await.status, 200);
    assert_eq!(lookups(&world).await, BTreeSet::new());
}

#[tokio::test]
async fn ten_customers_share_a_number_and_a_card_has_one() {
    let world = World::new().await;
    for number in 0..10 {
        let answer = world.put_customer(ORG, &format!("c{number}"), &json!({"phone": "212 555 0134"})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let eleventh = world.put_customer(ORG, "ada", &json!({"phone": "+12125550134"})).await;
    assert_eq!((eleventh.status.as_u16(), eleventh.code()), (409, "contact_shared"));
    assert_eq!(world.get(&format!("/orgs/{ORG}/customers/ada")).await.status, 404);
    assert_eq!(found(&world, &json!({"phone": "212 555 0134"})).await.len(), 10);
    // One of them again, and another after one has left.
    assert_eq!(world.put_customer(ORG, "c3", &json!({"phone": "1 212 555 0134"})).await.status, 200);
    assert_eq!(world.put_customer(ORG, "c3", &json!({})).await.status, 200);
    assert_eq!(world.put_customer(ORG, "ada", &json!({"phone": "+12125550134"})).await.status, 201);

    assert_eq!(world.put_customer(ORG, "c1", &json!({"cardNumber": "17"})).await.status, 200);
    let taken = world.put_customer(ORG, "c2", &json!({"cardNumber": "17"})).await;
    assert_eq!((taken.status.as_u16(), taken.code()), (409, "card_taken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_customers_who_race_for_a_card_one_has_it() {
    let world = Arc::new(World::new().await);
    let sent = (0..100).map(|number| {
        let world = Arc::clone(&world);
        let request = Request::put_customer(ORG, &format!("c{number}")).with(&json!({"cardNumber": "17"}));
        tokio::spawn(async move { world.send_with_retries(&request, noon()).await })
    });
    let answers: Vec<Response> =
        futures::future::join_all(sent).await.into_iter().map(|answer| answer.unwrap()).collect();
    let (winners, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
    assert!(others.iter().all(|answer| answer.code() == "card_taken"));
    assert_eq!(winners.len(), 1);
    let holder = winners[0].body["customerId"].as_str().unwrap();
    assert_eq!(found(&world, &json!({"cardNumber": "17"})).await, [holder]);
}

#[tokio::test]
async fn a_look_up_is_believed_only_as_far_as_the_profile_has_the_contact() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({"phone": "212 555 0134", "cardNumber": "17", "lastName": "King"})).await;
    // A version without look-ups replaces the profile.
    write_profile(&world, "ada", &[("phone", "212 555 0199"), ("cardNumber", "18"), ("lastName", "Byron")]).await;
    for criterion in [json!({"phone": "212 555 0134"}), json!({"cardNumber": "17"}), json!({"namePrefix": "Ki"})] {
        assert!(found(&world, &criterion).await.is_empty(), "{criterion}");
    }
    // Another customer may have the card.
    assert_eq!(world.put_customer(ORG, "bo", &json!({"cardNumber": "17"})).await.status, 201);
    assert_eq!(found(&world, &json!({"cardNumber": "17"})).await, ["bo"]);
    // The next PUT makes the look-ups of the new contacts and of the name.
    world.put_customer(ORG, "ada", &json!({"phone": "212 555 0199", "cardNumber": "18", "lastName": "Byron"})).await;
    for criterion in [json!({"phone": "212 555 0199"}), json!({"cardNumber": "18"}), json!({"namePrefix": "By"})] {
        assert_eq!(found(&world, &criterion).await, ["ada"], "{criterion}");
    }
}

/// Writes a profile as a version without look-ups does.
async fn write_profile(world: &World, customer: &str, fields: &[(&str, &str)]) {
    let key = |name: &str, value: String| (name.to_owned(), AttributeValue::S(value));
    let keys = [key("pk", format!("CUSTOMER#{ORG}#{customer}")), key("sk", "PROFILE".to_owned())];
    let mut update = world.client.update_item().table_name(&world.table).set_key(Some(keys.into()));
    let mut changes = Vec::new();
    for (field, value) in fields {
        changes.push(format!("person.{field} = :{field}"));
        update = update.expression_attribute_values(format!(":{field}"), AttributeValue::S((*value).to_owned()));
    }
    update.update_expression(format!("SET {}", changes.join(", "))).send().await.unwrap();
}

#[tokio::test]
async fn a_contact_that_is_only_written_in_another_way_is_still_found() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({"phone": "(212) 555-0134", "email": "a@b.example"})).await;
    write_profile(&world, "ada", &[("phone", "+12125550134"), ("email", "A@B.example")]).await;
    assert_eq!(found(&world, &json!({"phone": "212 555 0134"})).await, ["ada"]);
    assert_eq!(found(&world, &json!({"email": "a@b.example"})).await, ["ada"]);
}

#[tokio::test]
async fn an_erasure_removes_the_look_ups_of_a_profile_that_no_longer_names_them() {
    let world = World::new().await;
    let profile = json!({"lastName": "King", "phone": "212 555 0134", "cardNumber": "17"});
    world.put_customer(ORG, "ada", &profile).await;
    write_profile(&world, "ada", &[("phone", "212 555 0199"), ("cardNumber", "18"), ("lastName", "Byron")]).await;
    world.put_org(ORG, &json!({"name": "Shop", "country": "GB"})).await;
    let path = format!("/orgs/{ORG}/customers/ada");
    assert_eq!(world.send(&Request::new("DELETE", "back-office", path)).await.status, 200);
    assert_eq!(lookups(&world).await, BTreeSet::new());
}

#[tokio::test]
async fn a_customer_from_before_there_were_look_ups_is_found_after_a_patch() {
    let world = World::new().await;
    for id in ["ada", "bo"] {
        world.put_customer(ORG, id, &json!({})).await;
        write_profile(&world, id, &[("cardNumber", "17"), ("lastName", "King")]).await;
    }
    assert_eq!(world.send(&patch("ada", &json!({"firstName": "Ada"}))).await.status, 200);
    assert_eq!(found(&world, &json!({"cardNumber": "17"})).await, ["ada"]);
    assert_eq!(found(&world, &json!({"namePrefix": "king a"})).await, ["ada"]);
    // Bo has the same card from before, and keeps it, but is not found by it. Nobody can set it.
    let bo = world.send(&patch("bo", &json!({"firstName": "Bo"}))).await;
    assert_eq!((bo.status.as_u16(), &bo.body["cardNumber"]), (200, &json!("17")));
    assert_eq!(found(&world, &json!({"cardNumber": "17"})).await, ["ada"]);
    world.put_customer(ORG, "cy", &json!({})).await;
    assert_eq!(world.send(&patch("cy", &json!({"cardNumber": "17"}))).await.code(), "card_taken");
    assert_eq!(world.put_customer(ORG, "bo", &json!({"cardNumber": "17"})).await.code(), "card_taken");
}

#[tokio::test]
async fn a_number_of_another_country_keeps_all_its_digits() {
    let world = World::new().await;
    for (id, phone) in [("de", "+49 151 23456789"), ("cn", "+86 138 1234 5678"), ("us", "+1 212 555 0134")] {
        world.put_customer(ORG, id, &json!({"phone": phone})).await;
    }
    for (id, phone) in [
        ("de", "011 49 151 23456789"),
        ("de", "+4915123456789"),
        ("cn", "011-86-138-1234-5678"),
        ("us", "212 555 0134"),
        ("us", "1 212 555 0134"),
    ] {
        assert_eq!(found(&world, &json!({"phone": phone})).await, [id], "{phone}");
    }
    for phone in ["+49 5123 456789", "+86 381 2345 678", "+49 512 3456789"] {
        assert!(found(&world, &json!({"phone": phone})).await.is_empty(), "{phone}");
    }
    world.put_org(ORG, &json!({"name": "Shop", "country": "AU"})).await;
    for (id, phone) in [("us", "0011 1 212 555 0134"), ("de", "0011 49 151 23456789"), ("de", "+49 151 23456789")] {
        assert_eq!(found(&world, &json!({"phone": phone})).await, [id], "{phone}");
    }
}

#[tokio::test]
async fn a_search_does_not_begin_outside_of_what_it_searches() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let world = World::new().await;
    for id in ["a", "b"] {
        world.put_customer(ORG, id, &json!({"lastName": "Miller"})).await;
    }
    let page = world.send(&search(&json!({"namePrefix": "mil", "limit": 1}))).await.body;
    let cursor = BASE64_URL_SAFE_NO_PAD.decode(page["cursor"].as_str().unwrap()).unwrap();
    let mut content: Value = serde_json::from_slice(&cursor).unwrap();
    for position in [json!(["x", "y", "king"]), json!(["", "NAME", "miller"]), json!(["x", "NAME", ""]), json!("x")] {
        content["position"] = position.to_string().into();
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(content.to_string());
        let answer = world.send(&search(&json!({"namePrefix": "mil", "cursor": cursor}))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "invalid_cursor"), "{content}");
    }
}

#[tokio::test]
async fn customers_are_found_by_the_beginning_of_their_last_name_and_then_their_first() {
    let world = World::new().await;
    for (id, first, last) in
        [("a", "Ada", "Mill"), ("b", "Bo", "Miller"), ("c", "Cy", "MILLER"), ("d", "Mila", ""), ("e", "Eve", "Ölm")]
    {
        let mut profile = json!({"firstName": first});
        if !last.is_empty() {
            profile["lastName"] = last.into();
        }
        world.put_customer(ORG, id, &profile).await;
    }
    assert_eq!(found(&world, &json!({"namePrefix": "mil"})).await, ["d", "a", "b", "c"]);
    assert_eq!(found(&world, &json!({"namePrefix": " Miller   b"})).await, ["b"]);
    assert_eq!(found(&world, &json!({"namePrefix": "ö"})).await, ["e"]);
    let first = world.send(&search(&json!({"namePrefix": "mil", "limit": 3}))).await;
    let cursor = first.body["cursor"].clone();
    assert_eq!(ids(&first), ["d", "a", "b"]);
    assert_eq!(found(&world, &json!({"namePrefix": "mil", "limit": 3, "cursor": cursor})).await, ["c"]);
}

#[tokio::test]
async fn a_search_has_one_criterion_and_a_filter_by_contact_goes_alone() {
    let world = World::new().await;
    let answer = world.send(&search(&json!({"phone": "2125550134", "email": "a@b.example"}))).await;
    assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["email"]));
    assert_eq!(world.send(&search(&json!({}))).await.status, 422);
    for query in ["phone=2125550134&tier=Gold", "email=a@b.example&cardNumber=1", "cardNumber=1&riskLevel=low"] {
        let answer = world.get(&format!("/orgs/{ORG}/customers?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
    }
    let answer = world.put_customer(ORG, "ada", &json!({"cardNumber": "x".repeat(65)})).await;
    assert_eq!(answer.fields(), ["cardNumber"]);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_removes() {
    let world = World::new().await;
    assert_eq!(world.send(&patch("ada", &json!({"firstName": "Ada"}))).await.code(), "unknown_customer");
    let profile = json!({"firstName": "Ada", "email": "a@b.example", "phone": "212 555 0134", "equityStatus": true});
    world.put_customer(ORG, "ada", &profile).await;
    let answer = world.send(&patch("ada", &json!({"email": null, "lastName": "King"}))).await.body;
    assert_eq!((&answer["firstName"], &answer["lastName"]), (&json!("Ada"), &json!("King")));
    assert_eq!((&answer["phone"], answer.get("email")), (&json!("212 555 0134"), None));
    assert_eq!(answer["equityStatus"], true);
    assert!(found(&world, &json!({"email": "a@b.example"})).await.is_empty());
    assert_eq!(found(&world, &json!({"phone": "212 555 0134"})).await, ["ada"]);
    world.send(&patch("ada", &json!({"phone": "212 555 0199", "equityStatus": null}))).await;
    assert_eq!(found(&world, &json!({"phone": "212 555 0199"})).await, ["ada"]);
    let answer = world.send(&patch("ada", &json!({}))).await;
    assert_eq!((answer.status.as_u16(), answer.body.get("equityStatus")), (200, None));
    for (body, field) in
        [(json!({"phone": "x"}), "phone"), (json!({"points": 5}), "points"), (json!({"firstName": 5}), "firstName")]
    {
        let answer = world.send(&patch("ada", &body)).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec![field]), "{body}");
    }
}

#[tokio::test]
async fn the_deletion_of_a_disposable_org_removes_its_look_ups() {
    let world = World::new().await;
    world.put_org("to-go", &json!({"name": "To go", "disposable": true})).await;
    world.put_customer("to-go", "ada", &json!({"phone": "212 555 0134", "lastName": "King"})).await;
    for _ in 0..5 {
        world.send(&Request::new("DELETE", "back-office", "/orgs/to-go")).await;
    }
    assert_eq!(lookups(&world).await, BTreeSet::new());
}

#[tokio::test]
async fn a_till_finds_customers_by_a_contact_and_not_by_name() {
    let world = World::new().await;
    world.put_customer(ORG, "ada", &json!({"phone": "212 555 0134", "lastName": "King"})).await;
    let keys = Request::new("POST", "back-office", format!("/orgs/{ORG}/keys"));
    let till = world.send(&keys.json(&json!({"name": "till", "scope": "till"}))).await.body;
    let as_till = |criterion: Value| {
        search(&criterion).anonymous().header("authorization", &format!("Bearer {}", till["key"].as_str().unwrap()))
    };
    assert_eq!(ids(&world.send(&as_till(json!({"phone": "212 555 0134"}))).await), ["ada"]);
    let refused = world.send(&as_till(json!({"namePrefix": "k"}))).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "scope_not_allowed"));
}

#[tokio::test]
async fn a_patch_of_contacts_is_refused_like_a_put_and_a_filter_by_address_finds() {
    let world = World::new().await;
    for number in 0..10 {
        world.put_customer(ORG, &format!("c{number}"), &json!({"phone": "212 555 0134"})).await;
    }
    world.put_customer(ORG, "ada", &json!({"cardNumber": "17"})).await;
    assert_eq!(world.send(&patch("ada", &json!({"phone": "212 555 0134"}))).await.code(), "contact_shared");
    assert_eq!(world.send(&patch("c1", &json!({"cardNumber": "17"}))).await.code(), "card_taken");
    let body = json!({"cardNumber": "18", "email": "Ada@b.example", "equityStatus": false});
    let answer = world.send(&patch("ada", &body)).await.body;
    assert_eq!((&answer["cardNumber"], &answer["equityStatus"]), (&json!("18"), &json!(false)));
    let list = world.get(&format!("/orgs/{ORG}/customers?email=ada%40B.example")).await;
    assert_eq!(ids(&list), ["ada"]);
}

#[tokio::test]
async fn a_put_or_patch_that_changes_nothing_writes_nothing() {
    let world = World::new().await;
    let profile = json!({"lastName": "King", "phone": "212 555 0134"});
    world.put_customer(ORG, "ada", &profile).await;
    let stored = || async { world.client.scan().table_name(&world.table).send().await.unwrap().items };
    let before = stored().await;
    let put = world.put_customer(ORG, "ada", &profile).await;
    assert_eq!((put.status.as_u16(), &put.body["lastName"]), (200, &json!("King")));
    assert_eq!(world.send(&patch("ada", &json!({"lastName": "King"}))).await.status, 200);
    assert_eq!(stored().await, before);
}
