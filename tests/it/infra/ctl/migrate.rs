//! `ctl migrate contacts` makes the look-ups of customers from before, and can be run again.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::programs::{self, LocalStack, ProgramOutput};
use serde_json::{Value, json};
use shared::store;

struct Shop {
    stack: LocalStack,
    http: reqwest::Client,
}

impl Shop {
    /// A shop with 120 customers whom a release without look-ups wrote.
    async fn from_before() -> Self {
        let shop = Self { stack: LocalStack::start(&[]).await, http: programs::http() };
        shop.put("/orgs/shop", &json!({"name": "Shop"})).await;
        for number in 0..120 {
            let profile = json!({"lastName": "Miller", "cardNumber": format!("card-{number}")});
            shop.put(&format!("/orgs/shop/customers/c{number}"), &profile).await;
        }
        let twin = [("person", "cardNumber", "card-0")];
        shop.rewrite("c1", &twin).await;
        shop.rewrite("c2", &[("person", "phone", "no number")]).await;
        for number in 0..120 {
            shop.rewrite(&format!("c{number}"), &[]).await;
        }
        shop.remove_lookups().await;
        shop
    }

    async fn put(&self, path: &str, body: &Value) {
        let put = self.http.put(format!("{}/lambda-url/back-office{path}", self.stack.url));
        let answer = put.bearer_auth("local-secret").json(body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
    }

    /// Removes by what a customer is found, and sets attributes.
    async fn rewrite(&self, customer: &str, attributes: &[(&str, &str, &str)]) {
        let client = store::local_client(&self.stack.dynamodb);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let key = HashMap::from([
            ("pk".to_owned(), text(&format!("CUSTOMER#shop#{customer}"))),
            ("sk".to_owned(), text("PROFILE")),
        ]);
        let sets = attributes.iter().map(|(map, name, _)| format!("{map}.{name} = :{name}"));
        let sets: Vec<String> = sets.collect();
        let set = if sets.is_empty() { String::new() } else { format!("SET {} ", sets.join(", ")) };
        let mut update = client.update_item().table_name("regulars").set_key(Some(key));
        for (_, name, value) in attributes {
            update = update.expression_attribute_values(format!(":{name}"), text(value));
        }
        update.update_expression(format!("{set}REMOVE foundBy")).send().await.unwrap();
    }

    async fn remove_lookups(&self) {
        let client = store::local_client(&self.stack.dynamodb);
        for item in client.scan().table_name("regulars").send().await.unwrap().items.unwrap_or_default() {
            let (pk, sk) = (item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
            if pk.starts_with("CONTACT#") || sk == "NAME" {
                let key = HashMap::from([("pk".to_owned(), item["pk"].clone()), ("sk".to_owned(), item["sk"].clone())]);
                client.delete_item().table_name("regulars").set_key(Some(key)).send().await.unwrap();
            }
        }
    }

    async fn migrate(&self, more: &[&str]) -> ProgramOutput {
        let mut ctl = programs::command("ctl");
        ctl.args(["migrate", "contacts", "--org", "shop", "--url", &self.stack.url]).args(more);
        programs::run(&mut ctl).await
    }

    async fn found(&self, criterion: Value) -> usize {
        let post = self.http.post(format!("{}/lambda-url/back-office/orgs/shop/customers/search", self.stack.url));
        let found: Value =
            post.bearer_auth("local-secret").json(&criterion).send().await.unwrap().json().await.unwrap();
        found["customers"].as_array().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_from_before_are_found_after_a_migration_that_can_be_run_again() {
    let shop = Shop::from_before().await;
    let dry = shop.migrate(&["--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{}", dry.err);
    assert_eq!(dry.out, "120 customers; 120 would be found by contacts from now on; contacts without a look-up: 1\n");
    assert_eq!(shop.found(json!({"cardNumber": "card-7"})).await, 0);

    let first = shop.migrate(&[]).await;
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(first.out, "120 customers; 119 are found by contacts from now on; contacts without a look-up: 2\n");
    assert!(first.err.contains("customer c2: phone cannot be dialled in US"), "{}", first.err);
    assert!(first.err.contains(": too many customers have the cardNumber"), "{}", first.err);
    assert_eq!(shop.found(json!({"cardNumber": "card-7"})).await, 1);
    assert_eq!(shop.found(json!({"cardNumber": "card-0"})).await, 1);
    assert_eq!(shop.found(json!({"namePrefix": "miller", "limit": 100})).await, 100);

    let again = shop.migrate(&[]).await;
    assert_eq!(again.out, "120 customers; 0 are found by contacts from now on; contacts without a look-up: 2\n");
    let wrong = shop.migrate(&["--from", "nowhere"]).await;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("--from is not a position of a migration"), "{}", wrong.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_stops_says_where_to_continue() {
    let shop = Shop::from_before().await;
    let stopped = shop.migrate(&["--from", "/broken"]).await;
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.err.contains("continue with --from /broken"), "{}", stopped.err);
}
