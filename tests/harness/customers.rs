//! Many customers at once, and the tiers that they hold.

use std::{collections::BTreeMap, ops::Range};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::Value;

use crate::{World, world::ORG};

/// Puts copies of a customer beside them, past the functions, numbered.
pub async fn copy(world: &World, customer: &str, numbers: Range<usize>) {
    let text = |value: String| AttributeValue::S(value);
    let get = world.client.get_item().table_name(&world.table).key("pk", text(format!("CUSTOMER#{ORG}#{customer}")));
    let item = get.key("sk", text("PROFILE".into())).send().await.unwrap().item.expect("the customer");
    let numbers: Vec<usize> = numbers.collect();
    for some in numbers.chunks(25) {
        let puts = some.iter().map(|number| {
            let id = format!("{customer}{number:06}");
            let mut item = item.clone();
            item.insert("pk".into(), text(format!("CUSTOMER#{ORG}#{id}")));
            item.insert("customerId".into(), text(id));
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        let puts: Vec<_> = puts.collect();
        world.client.batch_write_item().request_items(&world.table, puts).send().await.unwrap();
    }
}

/// An org's customers, page by page.
pub async fn all(world: &World, org: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/orgs/{org}/customers?limit=100{cursor}")).await.body;
        all.extend(page["customers"].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// How many hold which tier.
pub fn per_tier(customers: &[Value]) -> BTreeMap<&str, usize> {
    let mut tiers = BTreeMap::new();
    customers.iter().for_each(|customer| *tiers.entry(customer["tier"].as_str().unwrap()).or_default() += 1);
    tiers
}
