//! The protocol of DynamoDB on the embedded engine: JSON over HTTP, with the operation in a header.

use std::sync::atomic::{AtomicU64, Ordering};

use dynoxide::{Database, DynoxideError};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use shared::host::{Body, Bytes, Response};

use crate::guard::{self, AllowedPages};

/// Media type of requests and answers.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// Header with the id of a request. Some clients fail without it when the service rejects a request.
const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Id of the next request; ids are unique within the process.
static NEXT_REQUEST_ID: AtomicU64 = AtomicU64::new(1);

/// Answers one request. Calls `report_internal_error` if the store itself fails.
pub(crate) fn answer(
    database: &Database,
    request: &Parts,
    body: &Bytes,
    report_internal_error: impl FnOnce(&str),
) -> Response {
    if let Some(rejection) = guard::reject(request, AllowedPages::None) {
        return rejection;
    }
    let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit_once('.')).filter(|_| request.method == Method::POST);
    let (status, body) = match dispatch(database, operation.map_or("", |(_, operation)| operation), body) {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            if let DynoxideError::InternalServerError(reason) = &error {
                report_internal_error(reason);
            }
            (StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST), error.to_json())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
    response
        .headers_mut()
        .insert(REQUEST_ID_HEADER, HeaderValue::from(NEXT_REQUEST_ID.fetch_add(1, Ordering::Relaxed)));
    response
}

fn dispatch(database: &Database, operation: &str, body: &[u8]) -> dynoxide::Result<String> {
    match operation {
        "GetItem" => execute(body, |request| database.get_item(request)),
        "PutItem" => execute(body, |request| database.put_item(request)),
        "UpdateItem" => execute(body, |request| database.update_item(request)),
        "DeleteItem" => execute(body, |request| database.delete_item(request)),
        "Query" => execute(body, |request| database.query(request)),
        "Scan" => execute(body, |request| database.scan(request)),
        "BatchGetItem" => execute(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => execute(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => execute(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => execute(body, |request| database.transact_write_items(request)),
        "CreateTable" => execute(body, |request| database.create_table(request)),
        "DescribeTable" => execute(body, |request| database.describe_table(request)),
        "UpdateTable" => execute(body, |request| database.update_table(request)),
        "DeleteTable" => execute(body, |request| database.delete_table(request)),
        "ListTables" => execute(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => execute(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => execute(body, |request| database.describe_time_to_live(request)),
        "TagResource" => execute(body, |request| database.tag_resource(request)),
        "UntagResource" => execute(body, |request| database.untag_resource(request)),
        "ListTagsOfResource" => execute(body, |request| database.list_tags_of_resource(request)),
        "ListStreams" => execute(body, |request| database.list_streams(request)),
        "DescribeStream" => execute(body, |request| database.describe_stream(request)),
        "GetShardIterator" => execute(body, |request| database.get_shard_iterator(request)),
        "GetRecords" => execute(body, |request| database.get_records(request)),
        "ExecuteStatement" => execute(body, |request| database.execute_statement(request)),
        "BatchExecuteStatement" => execute(body, |request| database.batch_execute_statement(request)),
        "ExecuteTransaction" => execute(body, |request| database.execute_transaction(request)),
        unknown => Err(DynoxideError::ValidationException(format!("unknown operation {unknown:?}"))),
    }
}

fn execute<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<String> {
    let request =
        serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let answer = operation(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
