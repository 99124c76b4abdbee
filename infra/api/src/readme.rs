//! The tables of operations and of scopes in the documents beside the functions.

use std::{fs, path::Path};

use anyhow::Context;
use shared::{
    domain::{org_key::KeyScope, rejection::RefusalCode},
    host::{Success, http_status},
    inbound::operation::Operation,
};

use crate::contract::{Contract, FunctionContract, OperationContract};

/// The lines around a generated part of a document.
struct Markers {
    begin: &'static str,
    end: &'static str,
}

const OPERATIONS: Markers =
    Markers { begin: "<!-- operations: written by make api -->", end: "<!-- end of operations -->" };
const SCOPES: Markers = Markers { begin: "<!-- scopes: written by make api -->", end: "<!-- end of scopes -->" };

/// The path and the current content of every document with a generated part.
///
/// # Errors
///
/// A document is missing, or lacks a marker.
pub fn documents(contract: &Contract) -> anyhow::Result<Vec<(String, String)>> {
    let of_functions = contract.functions.iter().map(|function| {
        let path = format!("functions/{}/README.md", function.name);
        with_part(path, &OPERATIONS, &operations(function))
    });
    let of_all = with_part("functions/README.md".to_owned(), &SCOPES, &scopes(contract));
    of_functions.chain([of_all]).collect()
}

/// The document in the repository, with another text between its markers.
fn with_part(path: String, markers: &Markers, part: &str) -> anyhow::Result<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&path);
    let document = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
    let content = replace_part(&document, markers, part).with_context(|| {
        format!("{path} must have the line `{}`, and below it the line `{}`", markers.begin, markers.end)
    })?;
    Ok((path, content))
}

/// The document with another text between the markers, or `None` if a marker is missing.
fn replace_part(document: &str, markers: &Markers, part: &str) -> Option<String> {
    let Markers { begin, end } = markers;
    let (before, rest) = document.split_once(&format!("\n{begin}\n"))?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}\n{begin}\n\n{part}\n{end}{after}"))
}

/// A Markdown table.
fn table<const COLUMNS: usize>(header: [&str; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) -> String {
    let line = |cells: &[String]| {
        let cells = cells.iter().map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = format!("|{}\n", "---|".repeat(COLUMNS));
    let rows: String = rows.map(|row| line(&row)).collect();
    format!("{}{rule}{rows}", line(&header.map(str::to_owned)))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(code).collect::<Vec<_>>().join(", ")
}

const REFERENCE: &str = "\
Fields, answers and codes are in [`docs/openapi.json`](../../docs/openapi.json). `GET /openapi.json` serves the part
of this function.";
const EVENTS_REFERENCE: &str = " Fields of events are in [`docs/asyncapi.json`](../../docs/asyncapi.json).";

/// The operations of a function, in the declared order.
fn operations(function: &FunctionContract) -> String {
    let has_events = function.operations.iter().any(|operation| operation.operation.event.is_some());
    let events = if has_events { EVENTS_REFERENCE } else { "" };
    let header = ["operation", "route", "event or schedule", "org keys", "succeeds with", "refuses with"];
    let rows = function.operations.iter().map(|contract| {
        let operation = contract.operation;
        let cells =
            [route(operation), trigger(operation), org_keys(operation), successes(contract), refusals(contract)];
        let [route, trigger, org_keys, successes, refusals] = cells;
        [code(operation.name), route, trigger, org_keys, successes, refusals]
    });
    format!("{REFERENCE}{events}\n\n{}", table(header, rows))
}

fn route(operation: Operation) -> String {
    if operation.method.is_empty() { String::new() } else { code(&format!("{} {}", operation.method, operation.path)) }
}

fn trigger(operation: Operation) -> String {
    let event = operation.event.map(code);
    let schedule = operation.scheduled.then(|| "schedule".to_owned());
    event.into_iter().chain(schedule).collect::<Vec<_>>().join(", ")
}

fn org_keys(operation: Operation) -> String {
    if operation.method.is_empty() {
        // An org key is a credential of HTTP requests.
        "none".to_owned()
    } else if operation.callers.is_deployment_only() {
        "deployment only".to_owned()
    } else {
        codes(operation.callers.scopes().iter().map(|scope| scope.name()))
    }
}

fn successes(contract: &OperationContract) -> String {
    let name = |success: &Success| match success {
        Success::Done | Success::Created => success.http_status().to_string(),
        Success::Replayed => format!("{} `replayed`", success.http_status()),
    };
    contract.success.iter().map(name).collect::<Vec<_>>().join(" or ")
}

/// The codes in the declared order. Each status is named once for the codes that follow it.
fn refusals(contract: &OperationContract) -> String {
    let groups = contract.refusals.chunk_by(|one, next| http_status(one.kind()) == http_status(next.kind()));
    let group = |refusals: &[RefusalCode]| -> Option<String> {
        let status = http_status(refusals.first()?.kind());
        Some(format!("{status} {}", codes(refusals.iter().map(|refusal| refusal.name()))))
    };
    groups.filter_map(group).collect::<Vec<_>>().join(", ")
}

/// The operations that keys of each scope may call.
fn scopes(contract: &Contract) -> String {
    let rows = KeyScope::ALL.iter().flat_map(|scope| {
        let name = code(scope.name());
        let name = if *scope == KeyScope::default() { format!("{name} (default)") } else { name };
        let may_call: Vec<[String; 2]> = if reaches_everything(contract, *scope) {
            vec![["every operation that is not reserved for the deployment".to_owned(), "all".to_owned()]]
        } else {
            contract.functions.iter().filter_map(|function| of_scope(function, *scope)).collect()
        };
        let names = std::iter::once(name).chain(std::iter::repeat(String::new()));
        names.zip(may_call).map(|(name, [operations, function])| [name, operations, function]).collect::<Vec<_>>()
    });
    table(["scope of an org key", "may call", "of these functions"], rows)
}

/// Whether keys of the scope may call every operation that some org key may call.
fn reaches_everything(contract: &Contract, scope: KeyScope) -> bool {
    let mut open =
        contract.operations().map(|one| one.operation.callers).filter(|callers| !callers.is_deployment_only());
    open.all(|callers| callers.scopes().contains(&scope))
}

/// The operations of a function that keys of the scope may call, and the function.
fn of_scope(function: &FunctionContract, scope: KeyScope) -> Option<[String; 2]> {
    let operations = function.operations.iter().map(|contract| contract.operation);
    let operations = operations.filter(|one| !one.method.is_empty() && one.callers.scopes().contains(&scope));
    let names = codes(operations.map(|operation| operation.name));
    (!names.is_empty()).then(|| [names, code(function.name)])
}
