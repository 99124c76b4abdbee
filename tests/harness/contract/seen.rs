//! What the tests have seen of the API documents: operations, outcomes, codes and fields.
//!
//! The tests run side by side in one process, which ends when the last of them does. So each new sight is written to a
//! file, and the test target `seen`, which cargo runs after the others, compares the file with the documents. Both
//! processes are children of the same cargo, whose process id names the file.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

use serde_json::Value;
use shared::{domain::rejection::RefusalCode, host::Success, outbound::ChangeEventName};

use strum::VariantArray;

use super::validators::{resolve, the_contract};

/// The file of this run of the tests, beside their binaries.
///
/// # Panics
///
/// If the process does not know its own binary.
pub fn file() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let parent = std::os::unix::process::parent_id();
    // A process id comes back, together with its start time it does not.
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    let started = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(19)).unwrap_or_default();
    folder.join(format!("api-seen-{parent}-{started}"))
}

/// Records a sight, once.
///
/// # Panics
///
/// If the file cannot be written.
pub fn record(sight: String) {
    static SEEN: OnceLock<Mutex<BTreeSet<String>>> = OnceLock::new();
    let mut seen = SEEN.get_or_init(Mutex::default).lock().unwrap();
    if !seen.contains(&sight) {
        // One write appends one line, also beside another process.
        let line = format!("{sight}\n");
        OpenOptions::new().create(true).append(true).open(file()).unwrap().write_all(line.as_bytes()).unwrap();
        seen.insert(sight);
    }
}

/// Everything that this run has seen, or `None` if no other test target ran.
pub fn recorded() -> Option<BTreeSet<String>> {
    let text = fs::read_to_string(file()).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

/// An operation succeeded.
pub fn outcome(operation: &str, success: Success) -> String {
    format!("{operation} answers {success:?}")
}

/// An operation refused.
pub fn refusal(operation: &str, code: &str) -> String {
    format!("{operation} refuses with {code}")
}

/// A code, of any operation.
pub fn code(code: &str) -> String {
    format!("a call is refused with {code}")
}

/// A request with a field succeeded.
pub fn request_field(operation: &str, field: &str) -> String {
    format!("{operation} takes {field}")
}

/// An answer, or a part of one, had a field.
pub fn answer_field(title: &str, field: &str) -> String {
    format!("{title} has {field}")
}

/// An event was emitted.
pub fn event(name: &str) -> String {
    format!("the event {name} is emitted")
}

/// The members of a problem beyond those of every problem.
pub const PROBLEM_MEMBERS: [&str; 3] = ["errors", "moreErrors", "bundleStatus"];

/// The codes that every operation may give.
pub const GENERAL_CODES: [&str; 3] = ["try_again", "internal", "not_configured"];

/// Everything that the documents mention.
pub fn documented() -> BTreeSet<String> {
    let contract = the_contract();
    let mut all: BTreeSet<String> = GENERAL_CODES.into_iter().map(code).collect();
    all.extend(RefusalCode::ALL.iter().map(|refusal| code(refusal.name())));
    for operation in contract.operations() {
        let id = operation.id();
        all.extend(operation.success.iter().map(|success| outcome(&id, *success)));
        all.extend(operation.refusals.iter().map(|code| refusal(&id, code.name())));
        all.extend(operation.fields().map(|(field, _)| request_field(&id, field)));
        fields_of(operation.function, &operation.request, &mut BTreeSet::new(), &mut all);
        fields_of(operation.function, &operation.answer, &mut BTreeSet::new(), &mut all);
    }
    all.extend(PROBLEM_MEMBERS.map(|member| answer_field("Problem", member)));
    all.extend(ChangeEventName::VARIANTS.iter().map(|name| event(name.name())));
    all
}

/// The name under which the fields of a schema are recorded.
pub fn title_of<'a>(schema: &'a Value, reference: Option<&'a str>) -> &'a str {
    reference.or_else(|| schema["title"].as_str()).unwrap_or_default()
}

/// Adds the fields of a schema and of everything that it refers to.
fn fields_of(function: &str, schema: &Value, visited: &mut BTreeSet<String>, all: &mut BTreeSet<String>) {
    let (schema, reference) = resolve(function, schema);
    if reference.is_some_and(|name| !visited.insert(name.to_owned())) {
        return;
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        all.insert(answer_field(title_of(schema, reference), name));
        fields_of(function, property, visited, all);
    }
    let choices = ["anyOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    for part in choices.chain(Some(&schema["items"]).filter(|items| items.is_object())) {
        fields_of(function, part, visited, all);
    }
}
