//! `DynamoDB`'s protocol on the embedded engine: JSON over HTTP, an operation named in a header.

use std::sync::atomic::{AtomicU64, Ordering};

use dynoxide::{Database, DynoxideError};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use shared::host::{Body, Bytes, Response};

use crate::guard::{self, Pages};

/// The media type of requests and answers.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// By which clients name a request: some fail without it where the service refuses something.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// How many requests were answered.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// Answers one request; hands `failed` what the store itself fails with.
pub(crate) fn answer(database: &Database, request: &Parts, body: &Bytes, failed: impl FnOnce(&str)) -> Response {
    if let Some(refused) = guard::refusal(request, Pages::None) {
        return refused;
    }
    let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit_once('.')).filter(|_| request.method == Method::POST);
    let (status, body) = match dispatch(database, operation.map_or("", |(_, operation)| operation), body) {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            if let DynoxideError::InternalServerError(why) = &error {
                failed(why);
            }
            (StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST), error.to_json())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from(REQUESTS.fetch_add(1, Ordering::Relaxed)));
    response
}

fn dispatch(database: &Database, operation: &str, body: &[u8]) -> dynoxide::Result<String> {
    match operation {
        "GetItem" => run(body, |request| database.get_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "UpdateTable" => run(body, |request| database.update_table(request)),
        "DeleteTable" => run(body, |request| database.delete_table(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "TagResource" => run(body, |request| database.tag_resource(request)),
        "UntagResource" => run(body, |request| database.untag_resource(request)),
        "ListTagsOfResource" => run(body, |request| database.list_tags_of_resource(request)),
        "ListStreams" => run(body, |request| database.list_streams(request)),
        "DescribeStream" => run(body, |request| database.describe_stream(request)),
        "GetShardIterator" => run(body, |request| database.get_shard_iterator(request)),
        "GetRecords" => run(body, |request| database.get_records(request)),
        "ExecuteStatement" => run(body, |request| database.execute_statement(request)),
        "BatchExecuteStatement" => run(body, |request| database.batch_execute_statement(request)),
        "ExecuteTransaction" => run(body, |request| database.execute_transaction(request)),
        unknown => Err(DynoxideError::ValidationException(format!("there is no operation {unknown:?}"))),
    }
}

fn run<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    act: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<String> {
    let request =
        serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = act(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
