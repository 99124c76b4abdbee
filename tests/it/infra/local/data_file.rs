//! The data file of the local stack: its permissions, and errors when it is unusable.

use std::fs;

use harness::programs::{self, LocalStack};
use serde_json::{Value, json};
use tokio::process::Command;

/// A folder for one test.
fn scratch() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("regulars-{:016x}", fastrand::u64(..)));
    fs::create_dir_all(&folder).unwrap();
    folder
}

async fn put_org(stack: &LocalStack, org: &str) -> u16 {
    let url = format!("{}/lambda-url/back-office/orgs/{org}", stack.url);
    let put = programs::http().put(url).bearer_auth("local-secret").json(&json!({"name": "x".repeat(100)}));
    put.send().await.unwrap().status().as_u16()
}

/// Starts a stack on an unusable file. Returns its error message, which is one line.
async fn refused(file: &str) -> String {
    let mut stack = programs::command("local");
    let ended = programs::run(stack.args(["--port", "0", "--data", file])).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "one sentence, not {}", ended.err);
    ended.err.trim_end().to_owned()
}

#[tokio::test]
async fn a_data_file_belongs_to_one_stack_under_any_path_until_the_stack_ends() {
    let folder = scratch();
    let file = folder.join("regulars.db");
    let (file, link) = (file.to_str().unwrap(), folder.join("link.db"));
    let first = LocalStack::start(&["--data", file]).await;
    std::os::unix::fs::symlink(file, &link).unwrap();
    let roundabout = format!("{}/../{}/regulars.db", folder.display(), folder.file_name().unwrap().to_str().unwrap());
    for name in [file, link.to_str().unwrap(), &roundabout] {
        assert_eq!(refused(name).await, format!("local: data file {name}: another local stack uses it"));
    }
    assert_eq!(put_org(&first, "kept").await, 201);
    first.kill().await;
    let second = LocalStack::start(&["--data", file]).await;
    assert_eq!(put_org(&second, "kept").await, 200, "what was written is there");
    second.stop("TERM").await;
    LocalStack::start(&["--data", file]).await.stop("TERM").await;
}

#[tokio::test]
async fn a_damaged_data_file_is_reported_in_one_sentence_at_the_start() {
    let file = scratch().join("regulars.db");
    let name = file.to_str().unwrap();
    let stack = LocalStack::start(&["--data", name]).await;
    for org in 0..50 {
        put_org(&stack, &format!("o{org}")).await;
    }
    assert_eq!(stack.stop("TERM").await.code, Some(0));
    // The first page identifies the file, and the rest is lost.
    let mut bytes = fs::read(&file).unwrap();
    bytes.iter_mut().skip(100).for_each(|byte| *byte = 0xa5);
    fs::write(&file, bytes).unwrap();
    let why = refused(name).await;
    assert!(why.starts_with(&format!("local: data file {name} is damaged: ")), "{why}");

    fs::write(&file, "no database at all ".repeat(1000)).unwrap();
    assert_eq!(refused(name).await, format!("local: data file {name} is damaged, or is no database"));
}

#[tokio::test]
async fn a_full_disk_is_reported_in_one_sentence_for_any_number_of_requests() {
    let file = scratch().join("regulars.db");
    let name = file.to_str().unwrap();
    // Files of this process are limited to 400 KiB. The signal is ignored, so that writes fail as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$0\" --port 0 --data \"$1\"";
    let program = programs::binary("local");
    let settings = programs::command("local");
    let mut limited = Command::new("sh");
    limited.args(["-c", script, program.to_str().unwrap(), name]).current_dir(harness::root());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    for (variable, value) in settings.as_std().get_envs() {
        assert!(value.is_none());
        limited.env_remove(variable);
    }
    // Logging is off, so that standard error has only the message.
    limited.env("LOG_LEVEL", "off");
    let stack = LocalStack::start_with(&mut limited).await;
    let mut refused = 0;
    for org in 0..2000 {
        if put_org(&stack, &format!("o{org}")).await != 201 {
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "it meets the limit");
    let url = format!("{}/lambda-url/back-office/orgs/o0", stack.url);
    let read: Value = programs::http().get(url).bearer_auth("local-secret").send().await.unwrap().json().await.unwrap();
    assert_eq!(read["orgId"], "o0", "what can be read is still served");
    let ended = stack.stop("TERM").await;
    assert_eq!(ended.err.lines().count(), 1, "one sentence, not {}", ended.err);
    assert!(ended.err.starts_with(&format!("local: data file {name} can't be ")), "{}", ended.err);
}
