"""The template is one that CloudFormation and SAM can use, and a reference to nothing is found before they do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, read, translated

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
    assert len(found) == 7 + 3 + 1 + 2, found
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
    policy = made["FailuresPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    rules = {name for name, resource in made.items() if resource["Type"] == "AWS::Events::Rule"}
    assert {arn["Fn::GetAtt"][0] for arn in policy["Condition"]["ArnEquals"]["aws:SourceArn"]} == rules
    assert {arn["Fn::GetAtt"][0] for arn in policy["Resource"]} == {kept[rule] for rule in rules}


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
