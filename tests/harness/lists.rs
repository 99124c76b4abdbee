//! Lists, read page by page.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::{
    host::{InFunction, ListOperation},
    inbound::cursor::Cursor,
};

use crate::{Request, World, world::noon};

/// Reads a list at noon. `page` is the request for the page that begins at a cursor, and `rows` is the member with its rows.
pub async fn read_all<O: ListOperation + InFunction>(
    world: &World,
    rows: &str,
    page: impl Fn(Option<Cursor>) -> O::Request,
) -> Vec<Value> {
    read_all_at::<O>(world, rows, page, noon()).await
}

/// Reads a list at `now`.
pub async fn read_all_at<O: ListOperation + InFunction>(
    world: &World,
    rows: &str,
    page: impl Fn(Option<Cursor>) -> O::Request,
    now: DateTime<Utc>,
) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = world.send_at(&Request::of::<O>(&page(cursor)), now).await;
        assert_eq!(page.status, 200, "{}", page.body);
        all.extend(page.body[rows].as_array().unwrap().clone());
        match page.body["cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned().into()),
            None => return all,
        }
    }
}
