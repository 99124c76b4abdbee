//! Requests to the back office, and lists read page by page.

use harness::{Request, World};
use serde_json::Value;

pub(super) fn put(path: &str, body: &Value) -> Request {
    Request::new("PUT", "back-office", path).json(body)
}

pub(super) fn delete(path: &str) -> Request {
    Request::new("DELETE", "back-office", path)
}

pub(super) async fn walk(world: &World, path: &str, name: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = world.get(&format!("{path}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        rows.extend(page.body[name].as_array().unwrap().clone());
        pages += 1;
        match page.body["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (rows, pages),
        }
    }
}

pub(super) fn ids(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
}
