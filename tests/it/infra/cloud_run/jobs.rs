//! The script that makes the jobs of Cloud Scheduler and never shows the secret. The definitions agree with the
//! template, the settings and the workspace.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::PathBuf,
};

use harness::{
    gcloud::{GcloudProject, SECRET},
    roles, root,
};
use local::{template::Template, yaml};
use serde_json::{Value, json};
use shared::config::Config;

const JOBS: [&str; 8] = [
    "bundle-transitions",
    "points-expiry",
    "points-expiry-continued",
    "tier-recalculation",
    "tier-recalculation-continued",
    "churn-prediction",
    "churn-prediction-continued",
    "weekly-report",
];

/// The service definition of a function.
async fn service(project: &GcloudProject, function: &str) -> Value {
    let ended = project.run("deploy.sh", &["render", function]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{function}");
    yaml::to_json(&ended.out).unwrap()
}

/// The calls of a command on jobs, each with the name of its job.
fn commands_of<'a>(calls: &'a [Vec<String>], what: &str) -> Vec<(&'a str, &'a [String])> {
    let what: Vec<&str> = what.split(' ').collect();
    let commands_of = calls.iter().filter_map(|call| {
        let rest = call.strip_prefix(["scheduler", "jobs"].map(str::to_owned).as_slice())?;
        let is_it = rest.iter().zip(&what).all(|(word, wanted)| word == wanted) && rest.len() > what.len();
        is_it.then(|| (rest[what.len()].strip_prefix("regulars-").unwrap(), &rest[what.len() + 1..]))
    });
    commands_of.collect()
}

/// The value of a flag of a call.
fn flag<'a>(call: &'a [String], name: &str) -> &'a str {
    let value = call.iter().find_map(|flag| flag.strip_prefix(&format!("--{name}=")));
    value.unwrap_or_else(|| panic!("no --{name} in {call:?}"))
}

#[tokio::test]
async fn jobs_are_created_then_updated_and_the_secret_is_only_in_its_own_file() {
    let project = GcloudProject::with_secret();
    for (what, header) in [("create http", "--headers"), ("update http", "--update-headers")] {
        project.run_jobs(&["apply"]).await;
        let calls = project.take_calls();
        let made = commands_of(&calls, what);
        assert_eq!(made.iter().map(|(job, _)| *job).collect::<Vec<_>>(), JOBS);
        for (job, call) in made {
            let function = job.trim_end_matches("-continued");
            let body = if job == function { "{}" } else { r#"{"cursor": "latest"}"# };
            assert_eq!(flag(call, "uri"), format!("https://regulars-{function}-x.a.run.app/"));
            assert_eq!((flag(call, "message-body"), flag(call, "http-method")), (body, "post"));
            assert_eq!((flag(call, "project"), flag(call, "location")), ("shop", "us-east1"));
            // The next run of these jobs does the missed work.
            let tries = if job == "bundle-transitions" || job != function { "0" } else { "3" };
            assert_eq!((flag(call, "max-retry-attempts"), flag(call, "min-backoff")), (tries, "60s"), "{job}");
        }
        let flags = project.take_file("flags");
        assert_eq!(flags.lines().count(), JOBS.len());
        let bearer = format!("Bearer {SECRET}");
        let expected = json!({header: {"Authorization": bearer, "Content-Type": "application/json"}});
        assert!(flags.lines().all(|line| serde_json::from_str::<Value>(line).unwrap() == expected), "{flags}");
        let modes = project.take_file("modes");
        assert!(modes.lines().all(|mode| ["-rw-------", "drwx------"].contains(&mode)), "{modes}");
        assert!(project.take_file("files").lines().all(|file| !PathBuf::from(file).exists()));
    }
    project.write_file("secret", "the-next-one\n");
    assert_eq!(project.run_jobs(&["apply", "tier-recalculation"]).await, "updated regulars-tier-recalculation\n");
    let flags: Value = serde_json::from_str(&project.take_file("flags")).unwrap();
    assert_eq!(flags["--update-headers"]["Authorization"], "Bearer the-next-one");
}

#[tokio::test]
async fn a_paused_job_stays_paused_after_an_update() {
    let project = GcloudProject::with_secret();
    project.write_file(
        "jobs",
        "other-churn-prediction,PAUSED\nregulars-churn-prediction,PAUSED\nregulars-bundle-transitions,ENABLED\n",
    );
    project.run_jobs(&["apply", "churn-prediction", "bundle-transitions"]).await;
    let calls = project.take_calls();
    let names = |what| commands_of(&calls, what).into_iter().map(|(job, _)| job).collect::<Vec<_>>();
    assert_eq!(names("update http"), ["churn-prediction", "bundle-transitions"]);
    assert_eq!(names("pause"), ["churn-prediction"]);
}

#[tokio::test]
async fn jobs_are_paused_resumed_and_run_by_name_or_all() {
    let project = GcloudProject::with_secret();
    project.run_jobs(&["apply"]).await;
    project.take_calls();
    for command in ["pause", "resume"] {
        assert_eq!(project.run_jobs(&[command]).await.lines().count(), JOBS.len());
        assert_eq!(commands_of(&project.take_calls(), command).iter().map(|(job, _)| *job).collect::<Vec<_>>(), JOBS);
        // A job already in that state is left alone, because Cloud Scheduler would fail.
        assert!(project.run_jobs(&[command]).await.lines().all(|line| line.ends_with(" already")));
        assert!(commands_of(&project.take_calls(), command).is_empty());
    }
    project.run_jobs(&["run", "churn-prediction-continued"]).await;
    assert_eq!(commands_of(&project.take_calls(), "run")[0].0, "churn-prediction-continued");
    project.run_jobs(&["list"]).await;
    let calls = project.take_calls();
    assert!(!flag(&calls[0], "format").contains("httpTarget"), "it shows no headers");
    for wrong in [&["run"][..], &[], &["stop"], &["pause", "weekly"], &["pause", "tier"], &["pause", "tier.*"]] {
        let ended = project.run("jobs.sh", wrong).await;
        assert_eq!((ended.code, ended.err.lines().count()), (Some(1), 1), "{wrong:?}: {}", ended.err);
        assert!(project.take_calls().is_empty(), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_changed_is_reported_and_does_not_block_other_jobs() {
    let project = GcloudProject::with_secret();
    project.write_file("failing", "create http regulars-tier-recalculation ");
    let ended = project.run("jobs.sh", &["apply"]).await;
    assert_eq!((ended.code, ended.out.lines().count()), (Some(1), JOBS.len() - 1), "{ended:?}");
    assert_eq!(ended.err, "jobs.sh: apply_one of regulars-tier-recalculation failed\n");
    project.take_file("failing");
    project.run_jobs(&["apply"]).await;
    project.write_file("failing", "pause regulars-bundle-transitions ");
    let ended = project.run("jobs.sh", &["pause"]).await;
    assert_eq!((ended.code, ended.out.lines().count()), (Some(1), JOBS.len() - 1), "{ended:?}");
}

#[tokio::test]
async fn an_unusable_secret_or_unreadable_jobs_leave_all_jobs_unchanged() {
    let project = GcloudProject::with_secret();
    for secret in ["", "\n", "two\nlines", "tab\t", "\u{e9}"] {
        project.write_file("secret", secret);
        assert_eq!(project.run("jobs.sh", &["apply"]).await.code, Some(1), "{secret:?}");
        assert!(commands_of(&project.take_calls(), "create http").is_empty(), "{secret:?}");
    }
    project.write_file("secret", SECRET);
    project.write_file("broken", "");
    assert_eq!(project.run("jobs.sh", &["apply"]).await.code, Some(1));
    assert_eq!(project.take_calls().len(), 1, "what is there could not be read");
}

/// An AWS schedule in Cloud Scheduler's syntax.
fn in_unix_form(schedule: &str) -> String {
    if let Some(minutes) = schedule.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(" minutes)")) {
        return format!("*/{minutes} * * * *");
    }
    let fields = schedule.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    assert_eq!((fields.len(), fields[5]), (6, "*"), "{schedule}");
    let days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let day = days.iter().position(|day| *day == fields[4]).map_or(fields[4].to_owned(), |day| day.to_string());
    [fields[0], fields[1], fields[2], fields[3], &day].join(" ").replace('?', "*")
}

fn template_text() -> String {
    fs::read_to_string(root().join("infra/template.yaml")).unwrap()
}

/// The schedules of the template by function, each with its time zone if there is one.
fn schedules() -> BTreeMap<String, (String, Option<String>)> {
    let document = yaml::to_json(&template_text()).unwrap();
    let parameters = &document["Parameters"];
    let resources = document["Resources"].as_object().unwrap();
    let name =
        |resource: &str| resources[resource]["Properties"]["CodeUri"].as_str().unwrap().rsplit('/').next().unwrap();
    let scheduled = resources.iter().flat_map(|(resource, declared)| {
        let properties = &declared["Properties"];
        let of_machine = properties["DefinitionSubstitutions"]["Function"]["Ref"].as_str();
        let of_machine = of_machine.and_then(|alias| alias.strip_suffix(".Alias"));
        let events = properties["Events"].as_object().into_iter().flat_map(|events| events.values());
        let schedules = events.filter(|event| event["Type"] == "ScheduleV2").map(|event| &event["Properties"]);
        schedules.map(move |schedule| {
            let zone = schedule["ScheduleExpressionTimezone"]["Ref"].as_str();
            let zone = zone.map(|parameter| parameters[parameter]["Default"].as_str().unwrap().to_owned());
            let expression = schedule["ScheduleExpression"].as_str().unwrap();
            (name(of_machine.unwrap_or(resource)).to_owned(), (in_unix_form(expression), zone))
        })
    });
    scheduled.collect()
}

#[tokio::test]
async fn every_scheduled_function_of_the_template_has_a_job_with_the_same_schedule() {
    let project = GcloudProject::with_secret();
    project.run_jobs(&["apply"]).await;
    let calls = project.take_calls();
    let jobs = commands_of(&calls, "create http");
    let by_name: BTreeMap<&str, &[String]> = jobs.into_iter().collect();
    let schedules = schedules();
    let own: Vec<&str> = by_name.keys().copied().filter(|job| !job.ends_with("-continued")).collect();
    assert_eq!(own, schedules.keys().map(String::as_str).collect::<Vec<_>>());
    for (function, (schedule, zone)) in schedules {
        let job = by_name[function.as_str()];
        assert_eq!(flag(job, "schedule"), schedule, "{function}");
        assert!(zone.is_none_or(|zone| zone == flag(job, "time-zone")), "{function}");
    }
    let seconds = |call: &[String], name: &str| -> u64 { flag(call, name).trim_end_matches('s').parse().unwrap() };
    for (job, call) in &by_name {
        let function = job.trim_end_matches("-continued");
        let service = service(&project, function).await;
        let limit = service["spec"]["template"]["spec"]["timeoutSeconds"].as_u64().unwrap();
        assert!(limit <= seconds(call, "attempt-deadline"), "{job} is given up before its service gives up");
    }
}

#[tokio::test]
async fn a_service_has_the_settings_of_the_template_and_no_unread_ones() {
    let project = GcloudProject::with_secret();
    let template = Template::read(&template_text(), &HashMap::new()).unwrap();
    let asked = RefCell::new(BTreeSet::new());
    let all = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        (name == "TABLE_NAME").then(|| "none".to_owned())
    };
    Config::from_lookup(all).unwrap();
    let of_the_sdk = ["AWS_REGION", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"];
    let read: BTreeSet<String> = asked.into_inner().into_iter().chain(of_the_sdk.map(str::to_owned)).collect();
    for (name, function) in &template.functions {
        let service = service(&project, name).await;
        let spec = &service["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        let set: HashMap<&str, &str> = container["env"]
            .as_array()
            .unwrap()
            .iter()
            .map(|variable| (variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap()))
            .collect();
        for variable in set.keys() {
            assert!(read.contains(*variable), "{name}: nobody reads {variable}");
            assert_ne!(*variable, "CRON_SECRET", "the secret is read while functions run");
        }
        // Settings that differ between deployments are not compared.
        let elsewhere = ["CRON_SECRET_NAME", "ANTHROPIC_SECRET", "SLACK_WEBHOOK_SECRET"];
        // These settings concern CloudWatch alone.
        let wanted = function.environment.iter().filter(|(variable, _)| *variable != "METRICS_NAMESPACE");
        for (variable, value) in wanted {
            let here = set.get(variable.as_str()).unwrap_or_else(|| panic!("{name}: {variable} is not set"));
            assert!(elsewhere.contains(&variable.as_str()) || here == value, "{name}: {variable} is {here}");
        }
        let only_known = |variable: &&&str| function.environment.contains_key(**variable);
        let own = set
            .keys()
            .filter(|variable| ["CHURN", "ANTHROPIC", "SLACK"].iter().any(|theirs| variable.starts_with(theirs)));
        assert!(own.clone().all(|variable| only_known(&variable)), "{name}: {:?}", own.collect::<Vec<_>>());

        let config = Config::from_lookup(|name| set.get(name).map(|value| (*value).to_owned())).unwrap();
        let limit = spec["timeoutSeconds"].as_u64().unwrap();
        assert!(config.request_timeout.as_secs() < limit, "{name} answers before it is given up");
        let mount = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
        assert!(set["AWS_WEB_IDENTITY_TOKEN_FILE"].starts_with(mount), "{name}");
        assert_eq!(container["startupProbe"]["httpGet"]["path"], "/health", "{name}");
        assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/health", "{name}");

        // A side container fetches the token before the function starts.
        let annotations = &service["spec"]["template"]["metadata"]["annotations"];
        let waits: Value =
            serde_json::from_str(annotations["run.googleapis.com/container-dependencies"].as_str().unwrap()).unwrap();
        let [fetched, by] = [&spec["containers"][1], container].map(|one| one["name"].as_str().unwrap());
        assert_eq!(waits, json!({ by: [fetched] }), "{name}");
        let sidecar = &spec["containers"][1];
        assert!(sidecar["startupProbe"]["tcpSocket"]["port"].is_u64(), "{name}");
        assert_eq!(sidecar["env"][0]["value"], set["AWS_ROLE_ARN"], "{name}: the token is for this role alone");
        let account = format!("regulars-{name}@shop.iam.gserviceaccount.com");
        assert_eq!(spec["serviceAccountName"], account);
    }
}

#[tokio::test]
async fn a_function_is_deployed_by_name_and_a_non_plain_text_setting_is_rejected() {
    let project = GcloudProject::with_secret();
    let ended = project.run("deploy.sh", &["points-award", "tier-recalculation"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let deployed = project.take_file("deployed");
    let names: Vec<&str> = deployed.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
    assert_eq!(names, [r#""regulars-points-award""#, r#""regulars-tier-recalculation""#]);
    assert!(!deployed.contains("${"), "all is filled in");
    for (name, value) in [("CHURN_MODEL", "a\"b"), ("CHURN_MODEL", "a\nb"), ("LOG_LEVEL", "${STACK}"), ("REGION", "")] {
        let ended = project.run_with("deploy.sh", &["churn-prediction"], &[(name, value)]).await;
        assert_eq!(ended.code, Some(1), "{name}={value}");
        assert!(project.take_file("deployed").is_empty() && ended.err.contains(name), "{name}={value}: {}", ended.err);
    }
    for wrong in [&[][..], &["render", "points"], &["weekly"]] {
        assert_eq!(project.run("deploy.sh", wrong).await.code, Some(1), "{wrong:?}");
    }
}

#[test]
fn the_cloud_run_roles_allow_the_same_as_the_roles_of_the_template() {
    let text = fs::read_to_string(root().join("infra/cloud-run/README.md")).unwrap();
    for (function, mut actions) in roles::table_actions() {
        let lists = if actions.remove("Query by_time") { "yes" } else { "no" };
        let actions: Vec<String> = actions.into_iter().collect();
        let row = format!("| `{function}` | `{}` | {lists} |", actions.join("`, `"));
        assert!(text.contains(&row), "the README lacks {row}");
    }
}

#[test]
fn the_image_is_built_from_existing_files_and_runs_unprivileged_without_a_shell() {
    let folder = root().join("infra/cloud-run");
    let text = fs::read_to_string(folder.join("Dockerfile")).unwrap();
    let copies = text.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|rest| !rest.starts_with("--from"));
    let sources: BTreeSet<&str> = copies
        .flat_map(|rest| rest.split(' ').rev().skip(1))
        .inspect(|source| assert!(root().join(source).exists()))
        .collect();
    let ignored = fs::read_to_string(folder.join("Dockerfile.dockerignore")).unwrap();
    assert_eq!(ignored.lines().filter_map(|line| line.strip_prefix('!')).collect::<BTreeSet<_>>(), sources);
    for member in ["shared", "functions", "infra", "tests"] {
        assert!(sources.contains(member), "cargo reads the manifest of every member");
    }
    assert!(text.contains("cargo build --release --locked -p \"${FUNCTION:?"));
    let (_, image) = text.rsplit_once("\nFROM ").unwrap();
    assert!(image.starts_with("gcr.io/distroless/cc-debian12:nonroot\n"));
    assert!(image.contains("\nUSER nonroot\n") && image.ends_with("\nENTRYPOINT [\"/function\"]\n"));
    assert!(!image.contains("\nRUN "), "there is no shell to run anything");

    let minor = |version: &str| version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let needed = manifest.split_once("rust-version = \"").unwrap().1.split('"').next().unwrap();
    let used = text.split_once("FROM rust:").unwrap().1.split('-').next().unwrap();
    assert!(minor(used) >= minor(needed), "{used} does not build what needs {needed}");
}
