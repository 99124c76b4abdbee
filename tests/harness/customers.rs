//! Many customers at once, and the tiers they hold.

use std::{collections::BTreeMap, ops::Range};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use back_office::customer_list::{CustomersRequest, ListCustomers};
use serde_json::{Value, json};

use crate::{World, instant, lists::read_all, scenario::award, valid, world::ORG};

/// Writes numbered copies of a customer's profile to the table.
pub async fn copy(world: &World, customer: &str, numbers: Range<usize>) {
    let text = |value: String| AttributeValue::S(value);
    let get = world.client.get_item().table_name(&world.table).key("pk", text(format!("CUSTOMER#{ORG}#{customer}")));
    let item = get.key("sk", text("PROFILE".into())).send().await.unwrap().item.expect("the customer");
    let numbers: Vec<usize> = numbers.collect();
    for batch in numbers.chunks(25) {
        let puts = batch.iter().map(|number| {
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

/// Creates 2,018 customers, which are two pages of a sweep and part of a third. 20 of them fall a tier at
/// [`DEMOTIONS_DUE_AT`].
pub async fn seed_two_pages(world: &World) {
    let days = [("old", "2026-05-01T00:00:00Z"), ("mid", "2026-06-01T00:00:00Z"), ("young", "2026-06-01T01:00:00Z")];
    for (name, at) in days {
        world.put_customer(ORG, name, &json!({})).await;
        let order = award(name, name, "600", &json!({ "fulfilledAt": at }));
        assert_eq!(world.send_at(&order, instant(at)).await.status, 201);
    }
    copy(world, "old", 0..9).await;
    copy(world, "young", 0..1_995).await;
    copy(world, "mid", 0..9).await;
    for name in ["early", "never"] {
        world.put_customer(ORG, name, &json!({})).await;
    }
    world.proxy.take_requests();
}

/// The instant at which `old` and `mid` have been inactive long enough to fall a tier, and `young` has not.
pub const DEMOTIONS_DUE_AT: &str = "2026-11-28T00:30:00Z";

/// All customers of an org.
pub async fn all(world: &World, org: &str) -> Vec<Value> {
    let page = |cursor| CustomersRequest {
        org_id: valid(org),
        tier: None,
        segment: None,
        risk_level: None,
        phone: None,
        email: None,
        card_number: None,
        limit: valid(100),
        cursor,
    };
    read_all::<ListCustomers>(world, "customers", page).await
}

/// The number of customers in each tier.
pub fn per_tier(customers: &[Value]) -> BTreeMap<&str, usize> {
    let mut tiers = BTreeMap::new();
    customers.iter().for_each(|customer| *tiers.entry(customer["tier"].as_str().unwrap()).or_default() += 1);
    tiers
}
