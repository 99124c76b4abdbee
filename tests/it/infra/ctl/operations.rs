//! The commands for a deployed stack, against a local stack and stand-ins for AWS services. `tests/infra` runs some of
//! them against moto.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use harness::{
    aws_services::{ServiceRequest, StubQueue, StubService},
    programs::{self, LocalStack, ProgramOutput, ctl_command, interrupt},
};
use serde_json::{Value, json};

/// A scheduler with jobs for a function and a state machine, and one job that is denied.
fn scheduler((what, _): &ServiceRequest) -> (u16, Value) {
    let target = |arn: &str| json!({"Arn": arn, "RoleArn": "arn:aws:iam::1:role/r", "Input": "{\"dryRun\":true}"});
    let schedule = |arn: &str| json!({"Name": "a", "State": "DISABLED", "Target": target(arn)});
    match what.as_str() {
        "GET /schedules/regulars-bundle-transitions" => {
            (200, schedule("arn:aws:lambda:eu-west-1:1:function:regulars-bundle-transitions:live"))
        }
        "GET /schedules/regulars-churn-prediction" => {
            (200, schedule("arn:aws:lambda:eu-west-1:1:function:regulars-points-award:live"))
        }
        "GET /schedules/regulars-tier-recalculation" => {
            (200, schedule("arn:aws:states:eu-west-1:1:stateMachine:regulars-tier-recalculation"))
        }
        "AWSStepFunctions.StartExecution" => (200, json!({"executionArn": "arn:of:it", "startDate": 1})),
        _ => (404, json!({"__type": "ResourceNotFoundException", "Message": "There is no such schedule."})),
    }
}

#[tokio::test]
async fn a_job_run_by_hand_behaves_like_a_scheduled_run_even_when_paused() {
    let (stack, scheduler) = (LocalStack::start(&[]).await, StubService::start(scheduler).await);
    let services = [("SCHEDULER", scheduler.url.as_str()), ("SFN", &scheduler.url), ("LAMBDA", &stack.url)];
    let run = async |job: &str| programs::run(&mut ctl_command(&["jobs", "run", job], &services)).await;

    let ended = run("bundle-transitions").await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.out.starts_with("bundle-transitions: ") && ended.out.contains("transitionsPerformed 0"), "{ended:?}");

    let ended = run("tier-recalculation").await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "tier-recalculation is started: arn:of:it\n"), "{ended:?}");
    let (_, started) = scheduler.requests().pop().unwrap();
    assert!(started["name"].as_str().unwrap().starts_with("by-hand-"), "{started}");
    let machine = "arn:aws:states:eu-west-1:1:stateMachine:regulars-tier-recalculation";
    assert_eq!((&started["stateMachineArn"], &started["input"]), (&json!(machine), &json!("{\"dryRun\":true}")));

    // `points-award` rejects such a call.
    let ended = run("churn-prediction").await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{ended:?}");
    let says = "ctl: churn-prediction was refused: invalid_fields: operation must be one of award, amend, getAward, refund, voidRefund\n";
    assert_eq!(ended.err, says);
}

/// A schedule with every field.
fn full() -> Value {
    json!({
        "Name": "regulars-bundle-transitions", "GroupName": "default", "State": "ENABLED", "Description": "Moves bundles",
        "Arn": "arn:aws:scheduler:eu-west-1:1:schedule/default/regulars-bundle-transitions",
        "CreationDate": 1, "LastModificationDate": 2, "StartDate": 1_800_000_000, "EndDate": 1_900_000_000,
        "ScheduleExpression": "rate(5 minutes)", "ScheduleExpressionTimezone": "Asia/Kolkata",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}, "KmsKeyArn": "arn:aws:kms:eu-west-1:1:key/k",
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": "arn:aws:lambda:eu-west-1:1:function:f:live", "RoleArn": "arn:aws:iam::1:role/r", "Input": "{}",
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:1:q"},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
            "EcsParameters": {"TaskDefinitionArn": "arn:t", "TaskCount": 2}, "SqsParameters": {"MessageGroupId": "g"},
            "EventBridgeParameters": {"DetailType": "d", "Source": "s"}, "KinesisParameters": {"PartitionKey": "k"},
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "n", "Value": "v"}]},
        },
    })
}

/// Rejects the pause of one job with a conflict.
fn one_is_busy((path, _): &ServiceRequest) -> (u16, Value) {
    let mut schedule = full();
    match path.strip_prefix("GET /schedules/") {
        Some(name) => {
            schedule["Name"] = json!(name);
            (200, schedule)
        }
        None if path.ends_with("-tier-recalculation") => {
            (409, json!({"__type": "ConflictException", "Message": "Another update is under way."}))
        }
        None => (200, json!({"ScheduleArn": "arn:of:it"})),
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_paused_is_reported_and_does_not_block_other_jobs() {
    let scheduler = StubService::start(one_is_busy).await;
    let ended = programs::run(&mut ctl_command(&["jobs", "pause"], &[("SCHEDULER", &scheduler.url)])).await;
    let says =
        "ctl: tier-recalculation: EventBridge Scheduler answered 409 ConflictException: Another update is under way.\n";
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), says));
    let paused: Vec<&str> = ended.out.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(paused, ["bundle-transitions", "points-expiry", "churn-prediction", "weekly-report"], "{ended:?}");
}

#[tokio::test]
async fn a_job_with_a_partial_failure_is_reported_as_a_failure() {
    let lambda = StubService::start(|_| (200, json!({"success": false, "summary": {"errorsEncountered": 2}}))).await;
    let scheduler = StubService::start(scheduler).await;
    let services = [("SCHEDULER", scheduler.url.as_str()), ("LAMBDA", &lambda.url)];
    let ended = programs::run(&mut ctl_command(&["jobs", "run", "bundle-transitions"], &services)).await;
    let says = "ctl: bundle-transitions did not succeed with all: errorsEncountered 2\n";
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), says), "{ended:?}");
}

#[tokio::test]
async fn a_pause_sends_every_field_of_the_schedule_back() {
    let scheduler = StubService::start(|_| (200, full())).await;
    let pause = &mut ctl_command(&["jobs", "pause", "bundle-transitions"], &[("SCHEDULER", &scheduler.url)]);
    let ended = programs::run(pause).await;
    assert_eq!(ended.out, "bundle-transitions   is paused now\n", "{ended:?}");
    let (what, mut sent) = scheduler.requests().pop().unwrap();
    assert_eq!(what, "PUT /schedules/regulars-bundle-transitions");
    sent.as_object_mut().unwrap().remove("ClientToken");
    let mut expected = full();
    expected["State"] = "DISABLED".into();
    // The name is in the path, and the service sets the other two.
    for field in ["Name", "Arn", "CreationDate", "LastModificationDate"] {
        expected.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(sent, expected);
}

/// Waits until `holds` is true, or fails after [`programs::WAIT_MAX`].
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(programs::WAIT_MAX, waiting).await.expect("it comes to it");
}

#[tokio::test]
async fn log_lines_are_followed_without_repetition() {
    let asked = Arc::new(AtomicI64::new(0));
    let times = Arc::clone(&asked);
    let logs = StubService::start(move |(what, _)| {
        assert_eq!(what, "Logs_20140328.FilterLogEvents");
        let count = times.fetch_add(1, Ordering::Relaxed) + 1;
        let now = chrono::Utc::now().timestamp_millis();
        // Each reply repeats the earlier lines and adds one.
        let event = |id: i64| json!({"eventId": id.to_string(), "timestamp": now, "message": format!("line {id}\n")});
        (200, json!({"events": (1..=count).map(event).collect::<Vec<_>>()}))
    })
    .await;
    let arguments = ["logs", "points-award", "--follow", "--filter", "say \"no\""];
    let following = ctl_command(&arguments, &[("CLOUDWATCH_LOGS", &logs.url)]).spawn().unwrap();
    until(|| logs.requests().len() >= 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    interrupt(&following).await;
    let ended = following.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let out = String::from_utf8(ended.stdout).unwrap();
    let lines: Vec<&str> = out.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(lines, ["line 1", "line 2"]);
    let (_, sent) = logs.requests().remove(0);
    assert_eq!(
        (&sent["logGroupName"], &sent["filterPattern"]),
        (&json!("/aws/lambda/regulars-points-award"), &json!("\"say \\\"no\\\"\""))
    );
}

/// A folder of stand-ins for the programs that deploy.
fn tools(name: &str, programs: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for (program, script) in programs {
        let file = folder.join(program);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// A project with a finished build.
fn project(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join(".aws-sam/build/PointsAward")).unwrap();
    fs::write(folder.join(".aws-sam/build/PointsAward/bootstrap"), "a program").unwrap();
    fs::write(folder.join("samconfig.toml"), "version = 0.1").unwrap();
    folder
}

#[tokio::test]
async fn changed_settings_are_deployed_like_changed_code() {
    let project = project("settings");
    // The dry run prints the files that it would upload beside the program.
    let sam =
        ("sam", r#"test "$1" != deploy || { read -r line < .aws-sam/build/PointsAward/settings; echo "$line"; }"#);
    let deployed = async |arguments: &[&str]| {
        let mut command = ctl_command(&[&["deploy", "staging"], arguments].concat(), &[]);
        command.current_dir(&project).env("PATH", tools("uploading", &[sam, ("cargo", "exit 0")]));
        let ended = programs::run(&mut command).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
        ended.out
    };
    let first = deployed(&[]).await;
    assert_eq!(first.trim().len(), 64, "{first}");
    assert_eq!(deployed(&[]).await, first, "the same settings are the same code");
    assert_ne!(deployed(&["--anew"]).await, first);
    let settings = "version = 0.1\n[staging.deploy.parameters]\nparameter_overrides = \"LogLevel=debug\"";
    fs::write(project.join("samconfig.toml"), settings).unwrap();
    assert_ne!(deployed(&[]).await, first);
}

#[tokio::test]
async fn a_deployment_builds_first_and_reports_a_missing_tool() {
    let sam = (
        "sam",
        r#"test "$1" = --version || echo "$CARGO_LAMBDA_COMPILER: sam $*"; test "$1 $3" != "build production""#,
    );
    let (cargo, no_lambda) = (("cargo", "exit 0"), ("cargo", "exit 101"));
    let project = project("building");
    let deploy = async |environment: &str, name: &str, programs: &[(&str, &str)]| {
        let mut command = ctl_command(&["deploy", environment], &[]);
        command.current_dir(&project).env("PATH", tools(name, programs)).env_remove("CARGO_LAMBDA_COMPILER");
        programs::run(&mut command).await
    };
    let done = deploy("staging", "all-tools", &[sam, cargo]).await;
    let steps = "cargo: sam build --config-env staging\ncargo: sam deploy --config-env staging\n";
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (Some(0), steps, ""), "{done:?}");

    let says = |ended: &ProgramOutput, why: &str| {
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), format!("ctl: {why}\n").as_str()), "{ended:?}");
    };
    let failed = deploy("production", "all-tools", &[sam, cargo]).await;
    says(&failed, "sam build --config-env production ended with exit status: 1");
    assert_eq!(failed.out, "cargo: sam build --config-env production\n");
    let missing = "is missing: pip install aws-sam-cli cargo-lambda";
    says(&deploy("staging", "no-sam", &[cargo]).await, &format!("sam {missing}"));
    says(&deploy("staging", "no-cargo-lambda", &[sam, no_lambda]).await, &format!("cargo-lambda {missing}"));
}

/// A service that denies every request, as AWS does.
fn forbidden(_: &ServiceRequest) -> (u16, Value) {
    let says = "User: arn:aws:iam::1:user/ada is not authorized to perform: scheduler:GetSchedule on resource: \
                arn:aws:scheduler:eu-west-1:1:schedule/default/regulars-bundle-transitions";
    (403, json!({"__type": "AccessDeniedException", "Message": says}))
}

fn expired(_: &ServiceRequest) -> (u16, Value) {
    (
        403,
        json!({"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}),
    )
}

fn empty(_: &ServiceRequest) -> (u16, Value) {
    (404, json!({"__type": "ResourceNotFoundException", "Message": "There is none."}))
}

#[tokio::test]
async fn every_account_problem_is_reported_in_one_clear_line() {
    let services =
        [StubService::start(forbidden).await, StubService::start(expired).await, StubService::start(empty).await];
    let [forbidden, expired, empty] = services.each_ref().map(|service| service.url.as_str());
    let queue = StubQueue::start("regulars-points-award-failures", []).await;
    let check = async |command: &str, service: &str, url: &str, says: &str| {
        let arguments: Vec<&str> = command.split(' ').collect();
        let ended = programs::run(&mut ctl_command(&arguments, &[(service, url)])).await;
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{command}: {ended:?}");
        assert_eq!(ended.err, format!("ctl: {says}\n"), "{command}");
    };
    let says = "not allowed: User: arn:aws:iam::1:user/ada is not authorized to perform: scheduler:GetSchedule on resource: \
                arn:aws:scheduler:eu-west-1:1:schedule/default/regulars-bundle-transitions";
    check("jobs list", "SCHEDULER", forbidden, says).await;
    for (command, service, name) in [
        ("jobs list", "SCHEDULER", "EventBridge Scheduler"),
        ("rollback", "LAMBDA", "Lambda"),
        ("verify --stack a", "LAMBDA", "Lambda"),
    ] {
        let says = "The security token included in the request is expired";
        let says = format!("the credentials have expired: sign in again ({name}: {says})");
        check(command, service, expired, &says).await;
        let says = format!("{name} in eu-west-1 can't be reached: Connection refused (os error 111)");
        check(command, service, "http://127.0.0.1:1", &says).await;
    }
    for (command, service, url, missing) in [
        ("jobs pause bundle-transitions", "SCHEDULER", empty, "schedule regulars-x-bundle-transitions"),
        ("jobs pause", "SCHEDULER", empty, "schedule regulars-x-bundle-transitions"),
        ("rollback points-award", "LAMBDA", empty, "function regulars-x-points-award with the alias live"),
        ("rollback", "LAMBDA", empty, "function regulars-x-back-office with the alias live"),
        ("verify", "LAMBDA", empty, "URL of the function regulars-x-back-office with the alias live"),
        ("redrive points-award", "SQS", &queue.url, "queue regulars-x-points-award-failures"),
        ("logs points-award", "CLOUDWATCH_LOGS", empty, "log group /aws/lambda/regulars-x-points-award"),
    ] {
        let says = format!("there is no {missing} in eu-west-1: is regulars-x the stack's name?");
        check(&format!("{command} --stack regulars-x"), service, url, &says).await;
    }
}

#[tokio::test]
async fn ctl_reports_a_missing_region_or_missing_credentials_at_once() {
    let no_region = programs::run(ctl_command(&["jobs", "list"], &[]).env_remove("AWS_REGION")).await;
    let says = "ctl: no region: set AWS_REGION, or AWS_PROFILE to a profile that has one\n";
    assert_eq!((no_region.code, no_region.err.as_str()), (Some(1), says), "{no_region:?}");
    let nobody = programs::run(ctl_command(&["jobs", "list"], &[]).env_remove("AWS_ACCESS_KEY_ID")).await;
    assert_eq!((nobody.code, nobody.err.lines().count()), (Some(1), 1), "{nobody:?}");
    assert!(nobody.err.starts_with("ctl: no credentials: sign in, and hand them over by eval "), "{nobody:?}");
}

#[tokio::test]
async fn verify_finds_the_urls_and_the_secret_of_a_stack_by_its_name() {
    let stack = LocalStack::start(&[]).await;
    let url = stack.url.clone();
    // Stand-ins for Lambda and Secrets Manager. The functions have the URLs of the local stack.
    let account = StubService::start(move |(what, asked)| {
        let function =
            what.strip_prefix("GET /2021-10-31/functions/regulars-").and_then(|rest| rest.strip_suffix("/url"));
        match function {
            Some(function) => (
                200,
                json!({
                    "FunctionUrl": format!("{url}/lambda-url/{function}/"), "AuthType": "NONE", "FunctionArn": "a",
                    "CreationTime": "now", "LastModifiedTime": "now",
                }),
            ),
            None => {
                assert_eq!(
                    (what.as_str(), &asked["SecretId"]),
                    ("secretsmanager.GetSecretValue", &json!("regulars-cron-secret"))
                );
                (200, json!({"ARN": "a", "Name": "a", "SecretString": "local-secret"}))
            }
        }
    })
    .await;
    let services = [("LAMBDA", account.url.as_str()), ("SECRETS_MANAGER", &account.url)];
    let ended = programs::run(&mut ctl_command(&["verify", "--stack", "regulars"], &services)).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");

    // Arguments come before the environment, and in the environment a URL comes before a stack name.
    let checks = async |arguments: &[&str], environment: &[(&str, &str)]| {
        programs::run(ctl_command(arguments, &services).envs(environment.iter().copied())).await
    };
    let nobody = ("REGULARS_URL", "http://127.0.0.1:1");
    for (arguments, environment) in [
        (&["verify"][..], &[("STACK", "regulars")][..]),
        (&["verify", "--stack", "regulars"], &[nobody]),
        (&["verify", "--url", &stack.url], &[nobody, ("STACK", "regulars-x")]),
    ] {
        let ended = checks(arguments, environment).await;
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?} {environment:?}: {ended:?}");
    }
    let ended = checks(&["verify"], &[nobody, ("STACK", "regulars")]).await;
    assert!(ended.err.starts_with("ctl: http://127.0.0.1:1/"), "{ended:?}");

    let other =
        programs::run(ctl_command(&["verify", "--stack", "regulars"], &services[..1]).env("CRON_SECRET", "another"))
            .await;
    assert!(other.err.starts_with("ctl: the secret is refused: 401 unauthorized: "), "{other:?}");
    let both =
        programs::run(&mut ctl_command(&["verify", "--stack", "regulars", "--url", "http://127.0.0.1:1"], &[])).await;
    assert!(both.code == Some(2) && both.err.contains("cannot be used with"), "{both:?}");
}
