//! Lists, read page by page.

use serde_json::Value;
use shared::{
    host::{InFunction, ListOperation},
    inbound::cursor::Cursor,
};

use crate::{Request, World};

/// Reads a list. `page` is the request for the page that begins at a cursor, and `rows` is the member with its rows.
pub async fn read_all<O: ListOperation + InFunction>(
    world: &World,
    rows: &str,
    page: impl Fn(Option<Cursor>) -> O::Request,
) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = world.send(&Request::of::<O>(&page(cursor))).await;
        assert_eq!(page.status, 200, "{}", page.body);
        all.extend(page.body[rows].as_array().unwrap().clone());
        match page.body["cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned().into()),
            None => return all,
        }
    }
}
