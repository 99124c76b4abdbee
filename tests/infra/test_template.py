"""The template is one that CloudFormation and SAM can use, and a reference to nothing is found before they do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FUNCTIONS, ROOT, read, translated

TEMPLATE = ROOT / "infra/template.yaml"


def lint(path):
    """What cfn-lint complains of, in a file."""
    command = [Path(sys.executable).with_name("cfn-lint"), "--format", "json", "--non-zero-exit-code", "none", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [f"{found['Rule']['Id']} {found['Message']}" for found in json.loads(done.stdout or "[]")]


def lint_translated(text, folder):
    """The same of what SAM makes of a template, where references stand that SAM makes up itself."""
    written = folder / "template.yaml"
    written.write_text(text)
    made = folder / "translated.json"
    made.write_text(json.dumps(translated(read(written))))
    return lint(made)


def test_the_template_is_valid_as_it_is_written():
    assert lint(TEMPLATE) == []


def test_the_template_is_valid_as_it_is_translated(tmp_path):
    assert lint_translated(TEMPLATE.read_text(), tmp_path) == []


@pytest.mark.parametrize(
    "reference",
    [
        "DeadLetterConfig: {Arn: !GetAtt PointsAwardFailures.Arn}",
        "DeadLetterConfig: {Arn: !GetAtt BundleTransitionsFailures.Arn}",
        "OnFailure: {Type: SQS, Destination: !GetAtt BackOfficeFailures.Arn}",
        "Hooks: {PreTraffic: !Ref PreTrafficCheck}",
        "Alarms: [!Ref PointsAwardFailing]",
        "Role: !GetAtt PointsAwardRole.Arn",
        "LoggingConfig: {LogGroup: !Ref PointsAwardLogs}",
        "RoleArn: !GetAtt ChangesRole.Arn",
    ],
)
def test_a_reference_to_nothing_is_found(reference, tmp_path):
    text = TEMPLATE.read_text()
    assert reference in text
    name = reference.split("!")[1].split(" ")[1].split(".")[0].rstrip("]}")
    broken = text.replace(reference, reference.replace(name, "Nothing"))
    assert any("Nothing" in complaint for complaint in lint_translated(broken, tmp_path))


def test_checkov_finds_nothing_but_what_is_excepted_with_its_reason():
    command = [Path(sys.executable).with_name("checkov"), "--config-file", ROOT / ".checkov.yaml", "-f", TEMPLATE]
    done = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, cwd=ROOT)
    found = json.loads(done.stdout)
    failed = [(check["check_id"], check["resource"]) for check in found["results"]["failed_checks"]]
    assert failed == []
    assert found["summary"]["passed"] > 100
    assert done.returncode == 0


def test_every_call_from_outside_goes_to_the_alias(template):
    made = translated(template)["Resources"]
    aliases = {name for name, resource in made.items() if resource["Type"] == "AWS::Lambda::Alias"}
    assert len(aliases) == sum(resource["Type"] == "AWS::Serverless::Function" for resource in template["Resources"].values())

    def called():
        for name, resource in made.items():
            properties = resource["Properties"]
            match resource["Type"]:
                case "AWS::Lambda::Url":
                    yield name, properties["TargetFunctionArn"]
                case "AWS::Events::Rule":
                    yield from ((name, target["Arn"]) for target in properties["Targets"])
                case "AWS::Scheduler::Schedule" if "Sweep" not in name:
                    yield name, properties["Target"]["Arn"]
                case "AWS::StepFunctions::StateMachine":
                    yield name, properties["DefinitionSubstitutions"]["Function"]
                case "AWS::Lambda::EventInvokeConfig":
                    assert properties["Qualifier"] == "live"

    found = dict(called())
    assert len(found) == 9 + 3 + 2 + 3, found
    assert all(arn["Ref"] in aliases for arn in found.values()), found


def test_what_fails_to_be_delivered_is_kept_in_the_functions_queue(template):
    made = translated(template)["Resources"]
    kept = {}
    for name, resource in made.items():
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::Events::Rule":
                kept[name] = properties["Targets"][0]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
            case "AWS::Scheduler::Schedule":
                kept[name] = properties["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
            case "AWS::Lambda::EventInvokeConfig":
                kept[name] = properties["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert all(name.startswith(queue.removesuffix("Failures")) for name, queue in kept.items()), kept
    # A rule comes by the queue's own policy; a schedule by its role, a function by its own.
    let_in = {}
    for policy in (resource["Properties"] for resource in made.values() if resource["Type"] == "AWS::SQS::QueuePolicy"):
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Principal"], statement["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
        assert policy["Queues"] == [{"Ref": statement["Resource"]["Fn::GetAtt"][0]}]
        let_in[statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0]] = policy["Queues"][0]["Ref"]
    assert let_in == {name: queue for name, queue in kept.items() if made[name]["Type"] == "AWS::Events::Rule"}


def test_roles_that_sam_makes_allow_nothing_on_everything(template):
    made = translated(template)["Resources"]
    roles = [resource["Properties"] for resource in made.values() if resource["Type"] == "AWS::IAM::Role"]
    assert len(roles) > 10
    for role in roles:
        assert role.get("ManagedPolicyArns", []) == [], role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert "*" not in json.dumps(statement["Action"]), statement
                assert '"*"' not in json.dumps(statement["Resource"]), statement


# What those roles are for that no function has. The functions' own are held against what they do, in Rust.
JOBS = ["bundle-transitions", "points-expiry", "tier-recalculation", "churn-prediction", "weekly-report"]
ROLES = {
    "ChangesRole": {
        "dynamodb:DescribeStream": ["Table.StreamArn"],
        "dynamodb:GetRecords": ["Table.StreamArn"],
        "dynamodb:GetShardIterator": ["Table.StreamArn"],
        "dynamodb:ListStreams": ["Table.StreamArn"],
        "events:PutEvents": ["event-bus/${EventBusName}"],
        "sqs:SendMessage": ["ChangesFailures.Arn"],
    },
    "PreTrafficCheckRole": {
        "lambda:InvokeFunction": [f"{job}:*" for job in JOBS],
        "lambda:GetAlias": JOBS,
        "codedeploy:GetDeployment": ["ServerlessDeploymentApplication-*/*"],
        "codedeploy:PutLifecycleEventHookExecutionStatus": ["ServerlessDeploymentApplication-*/*"],
        "logs:CreateLogStream": ["PreTrafficCheckLogs.Arn"],
        "logs:PutLogEvents": ["PreTrafficCheckLogs.Arn"],
    },
    "DeploymentRole": {
        "lambda:GetAlias": [f"{name}*" for name in FUNCTIONS],
        "lambda:GetProvisionedConcurrencyConfig": [f"{name}*" for name in FUNCTIONS],
        "lambda:UpdateAlias": [f"{name}*" for name in FUNCTIONS],
        "lambda:InvokeFunction": ["PreTrafficCheck.Arn"],
        "cloudwatch:DescribeAlarms": ["alarm:*"],
    },
}
ROLES["ChannelsRole"] = {"cloudwatch:DescribeAlarms": ["alarm:*"]}
SWEEPS = {"PointsExpiry": "points-expiry", "TierRecalculation": "tier-recalculation", "ChurnPrediction": "churn-prediction"}
for job, name in SWEEPS.items():
    ROLES[f"{job}SweepRole"] = {
        "dynamodb:Query": ["${Table.Arn}/index/by_time"],
        "dynamodb:UpdateItem": ["Table.Arn"],
        "lambda:InvokeFunction": [f"{job}Aliaslive"],
        "sqs:SendMessage": [f"{job}Failures.Arn"],
        "states:StartExecution": [f"stateMachine:${{AWS::StackName}}-{name}"],
        "states:DescribeExecution": [f"execution:${{AWS::StackName}}-{name}:*", f"execution:${{AWS::StackName}}-{name}/*"],
        "states:StopExecution": [f"execution:${{AWS::StackName}}-{name}:*", f"execution:${{AWS::StackName}}-{name}/*"],
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_no_function_has_allows_exactly_what_it_is_for(template, role):
    allowed = {}
    for policy in translated(template)["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            resources = statement["Resource"]
            resources = resources if isinstance(resources, list) else [resources]
            for action in statement["Action"]:
                allowed.setdefault(action, []).extend(
                    resource.get("Ref") or resource.get("Fn::Sub") or ".".join(resource["Fn::GetAtt"])
                    for resource in resources
                )
    assert allowed.keys() == ROLES[role].keys()
    for action, ends in ROLES[role].items():
        assert len(allowed[action]) == len(ends), action
        for resource, end in zip(allowed[action], ends):
            assert resource.endswith(end), action


def test_a_canary_is_watched_by_what_its_function_tells_and_by_what_crashes(template):
    resources = template["Resources"]
    watched = 0
    for name, resource in resources.items():
        if not name.endswith("Failing") or resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        watched += 1
        function = name.removesuffix("Failing")
        folder = resources[function]["Properties"]["CodeUri"].rsplit("/")[-1]
        alarm = resource["Properties"]
        total, *metrics = alarm["Metrics"]
        # Not by Lambda's own count of errors: an event that is malformed, or of an org that is not there yet, is one of those.
        assert total["Expression"] == "FILL(failed, 0) + FILL(crashed, 0)"
        by_id = {metric["Id"]: metric["MetricStat"] for metric in metrics}
        assert all(metric["ReturnData"] is False and metric["MetricStat"]["Stat"] == "Sum" for metric in metrics)
        namespace = template["Globals"]["Function"]["Environment"]["Variables"]
        assert by_id["failed"]["Metric"] == {
            "Namespace": namespace["METRICS_NAMESPACE"],
            "MetricName": "Failed",
            "Dimensions": [{"Name": "Function", "Value": folder}],
        }
        crashed = resources[f"{function}Crashes"]["Properties"]
        assert crashed["LogGroupName"] == {"Ref": f"{function}Logs"}
        (told,) = crashed["MetricTransformations"]
        assert by_id["crashed"]["Metric"] == {
            "Namespace": told["MetricNamespace"],
            "MetricName": told["MetricName"],
        }
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert (alarm["TreatMissingData"], alarm["DatapointsToAlarm"]) == ("notBreaching", 1)
        assert alarm["EvaluationPeriods"] > 1, "or what comes late is never looked at"
    assert watched == 4


def test_a_sweep_may_write_that_it_ended_and_nothing_else(template):
    for job, operation in (("PointsExpiry", "expire"), ("TierRecalculation", "recalculate"), ("ChurnPrediction", "predict")):
        (policy,) = template["Resources"][f"{job}Sweep"]["Properties"]["Policies"]
        (update,) = [statement for statement in policy["Statement"] if "dynamodb:UpdateItem" in statement["Action"]]
        assert update["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"SWEEP#{operation}"]}}


def test_alarms_reach_their_topic_which_only_this_account_s_cloudwatch_may_write_to(template):
    resources = template["Resources"]
    topics = {"p1": "AlertsTopic", "p2": "AlertsTopic", "p3": "RetentionTopic"}
    found = 0
    for resource in resources.values():
        if resource["Type"] != "AWS::CloudWatch::Alarm" or "AlarmActions" not in resource["Properties"]:
            continue
        found += 1
        alarm = resource["Properties"]
        priority = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-").split("-")[0]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topics[priority]}]
    queues = [resource for resource in resources.values() if resource["Type"] == "AWS::SQS::Queue"]
    assert found == 12 + len(queues)
    own = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    (publish,) = resources["TopicsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert publish["Resource"] == [{"Ref": "AlertsTopic"}, {"Ref": "RetentionTopic"}]
    assert (publish["Principal"], publish["Condition"]) == ({"Service": "cloudwatch.amazonaws.com"}, own)
    _, use = resources["TopicsKey"]["Properties"]["KeyPolicy"]["Statement"]
    # CloudWatch is not said to name the account where it uses a key.
    assert use["Principal"] == publish["Principal"]
    assert "Condition" not in use
    for topic in ("AlertsTopic", "RetentionTopic"):
        assert resources[topic]["Properties"]["KmsMasterKeyId"] == {"Ref": "TopicsKey"}


@pytest.mark.parametrize(
    "given, told",
    [
        ({}, set()),
        ({"AlertsEmail": "x@example.com"}, {"AlertsMail", "RetentionMail"}),
        ({"SlackWorkspaceId": "T0", "AlertsEmail": "x@example.com"}, {"AlertsMail", "RetentionMail"}),
        (
            {"SlackWorkspaceId": "T0", "AlertsChannelId": "C0", "AlertsEmail": "x@example.com"},
            {"AlertsChannel", "RetentionMail", "ChannelsRole"},
        ),
        (
            {"SlackWorkspaceId": "T0", "AlertsChannelId": "C0", "RetentionChannelId": "C1", "AlertsEmail": "x@example.com"},
            {"AlertsChannel", "RetentionChannel", "ChannelsRole"},
        ),
        ({"SlackWorkspaceId": "T0", "RetentionChannelId": "C1"}, {"RetentionChannel", "ChannelsRole"}),
    ],
)
def test_who_is_told_follows_from_what_is_given(template, given, told):
    def holds(condition):
        if not isinstance(condition, dict):
            return condition
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return holds(template["Conditions"][argument])
            case "Fn::And":
                return all(map(holds, argument))
            case "Fn::Or":
                return any(map(holds, argument))
            case "Fn::Not":
                return not holds(argument[0])
            case "Fn::Equals":
                return holds(argument[0]) == holds(argument[1])
            case "Ref":
                return given.get(argument, template["Parameters"][argument]["Default"])

    conditional = {name: resource["Condition"] for name, resource in template["Resources"].items() if "Condition" in resource}
    assert {name for name, condition in conditional.items() if holds({"Condition": condition})} == told


def test_what_must_not_be_lost_is_kept(template):
    resources = template["Resources"]
    table = resources["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert template["Parameters"]["DeletionProtection"]["Default"] == "true"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}, "what the pipe reads"
    pages = {
        "AllowOrigins": {"Ref": "AllowedOrigins"},
        "AllowMethods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "AllowHeaders": ["authorization", "content-type", "if-none-match"],
        "ExposeHeaders": ["retry-after"],
        "MaxAge": 3600,
    }
    url_config = {"AuthType": "NONE", "Cors": {"Fn::If": ["PagesMayCall", pages, {"Ref": "AWS::NoValue"}]}}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::SQS::Queue":
                assert (properties["MessageRetentionPeriod"], properties["SqsManagedSseEnabled"]) == (14 * 86400, True), name
            case "AWS::Logs::LogGroup":
                assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
            case "AWS::Serverless::Function":
                assert properties["AutoPublishAliasAllProperties"] is True, name
                assert properties["FunctionUrlConfig"] == url_config, name
                assert properties["EventInvokeConfig"]["MaximumRetryAttempts"] == 2, name
    assert template["Globals"]["Function"]["AutoPublishAlias"] == "live"


def test_every_schedule_has_a_zone_a_name_and_another_try(template):
    schedules = [
        (owner["Properties"], event["Properties"])
        for owner in template["Resources"].values()
        for event in owner.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    ]
    assert len(schedules) == 5
    for owner, schedule in schedules:
        assert schedule["ScheduleExpressionTimezone"] == {"Ref": "TimeZone"}
        assert schedule["Name"] == owner.get("FunctionName", owner.get("Name")), "where ctl jobs looks"
        assert schedule["RetryPolicy"]["MaximumRetryAttempts"] > 0
