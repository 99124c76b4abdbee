"""The check that calls a job's new version before it takes over: the template's own code, against stand-ins."""

import io
import json
import sys
import types

import pytest

VERSIONS = "arn:fn:transitions:8,arn:fn:tiers:5"
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}


class Lambda:
    """Lambda, with what each version and alias answers, and which version of each function is live."""

    def __init__(self, answers, live):
        self.answers, self.live, self.called = answers, live, []

    def get_alias(self, FunctionName, Name):
        assert Name == "live"
        live = self.live[FunctionName]
        if isinstance(live, Exception):
            raise live
        return {"FunctionVersion": live}

    def invoke(self, FunctionName, Payload):
        assert json.loads(Payload) == {"dryRun": True}
        self.called.append(FunctionName)
        # The version that is live runs, unless a test says otherwise.
        answer = self.answers.get(FunctionName, swept(0))
        if isinstance(answer, Exception):
            raise answer
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


class CodeDeploy:
    """CodeDeploy, which is told how the check went."""

    def put_lifecycle_event_hook_execution_status(self, **told):
        self.told = told


def checked(template, monkeypatch, answers, live=None):
    """What CodeDeploy is told, and what was called."""
    functions, deployments = Lambda(answers, live or {"arn:fn:transitions": "7", "arn:fn:tiers": "4"}), CodeDeploy()
    clients = {"lambda": functions, "codedeploy": deployments}
    monkeypatch.setitem(sys.modules, "boto3", types.SimpleNamespace(client=lambda name, **_: clients[name]))
    monkeypatch.setenv("VERSIONS", VERSIONS)
    code = template["Resources"]["PreTrafficCheck"]["Properties"]["Code"]["ZipFile"]
    module = {}
    exec(compile(code, "index.py", "exec"), module)
    module["handler"](EVENT, None)
    told = deployments.told
    assert (told["deploymentId"], told["lifecycleEventHookExecutionId"]) == ("d-1", "hook-1")
    return told["status"], sorted(functions.called)


def swept(errors):
    return {"success": errors == 0, "results": [], "summary": {"totalErrors": errors}}


MOVED = {"success": True, "transitions": [], "errors": [], "summary": {"errorsEncountered": 0}}


def test_versions_that_run_take_over(template, monkeypatch):
    answers = {"arn:fn:transitions:8": MOVED, "arn:fn:tiers:5": swept(0)}
    called = ["arn:fn:tiers:5", "arn:fn:tiers:live", "arn:fn:transitions:8", "arn:fn:transitions:live"]
    assert checked(template, monkeypatch, answers) == ("Succeeded", called)


def test_a_version_that_is_live_already_is_not_called(template, monkeypatch):
    live = {"arn:fn:transitions": "8", "arn:fn:tiers": "4"}
    called = ["arn:fn:tiers:5", "arn:fn:tiers:live"]
    assert checked(template, monkeypatch, {"arn:fn:tiers:5": swept(0)}, live) == ("Succeeded", called)


@pytest.mark.parametrize(
    "broken",
    [
        {"errorType": "Runtime.ExitError", "errorMessage": "it crashed"},
        {"type": "urn:regulars:problem:invalid_fields", "status": 422, "code": "invalid_fields"},
        {"unheard": "of"},
        TimeoutError("no answer"),
    ],
)
def test_a_version_that_does_not_run_does_not_take_over(template, monkeypatch, broken):
    answers = {"arn:fn:transitions:8": MOVED, "arn:fn:tiers:5": broken}
    assert checked(template, monkeypatch, answers)[0] == "Failed"


@pytest.mark.parametrize(("new", "live", "expected"), [(1, 0, "Failed"), (2, 2, "Succeeded"), (3, 2, "Failed")])
def test_a_version_may_meet_no_more_that_fails_than_the_one_that_is_live(template, monkeypatch, new, live, expected):
    answers = {"arn:fn:transitions:8": MOVED, "arn:fn:tiers:5": swept(new), "arn:fn:tiers:live": swept(live)}
    assert checked(template, monkeypatch, answers)[0] == expected


def test_codedeploy_is_told_whatever_happens(template, monkeypatch):
    live = {"arn:fn:transitions": "7", "arn:fn:tiers": RuntimeError("throttled")}
    assert checked(template, monkeypatch, {"arn:fn:transitions:8": MOVED}, live)[0] == "Failed"


def test_a_version_that_is_live_and_broken_keeps_no_better_one_out(template, monkeypatch):
    broken = {"errorType": "Runtime.ExitError", "errorMessage": "it crashed"}
    answers = {"arn:fn:transitions:8": MOVED, "arn:fn:tiers:5": swept(0), "arn:fn:tiers:live": broken}
    assert checked(template, monkeypatch, answers)[0] == "Succeeded"
    answers["arn:fn:tiers:5"] = swept(1)
    assert checked(template, monkeypatch, answers)[0] == "Failed", "one that meets failures is held against nothing"


def test_a_run_has_less_time_than_the_check(template):
    resources = template["Resources"]
    check = resources["PreTrafficCheck"]["Properties"]["Timeout"]
    for job in ("BundleTransitions", "TierRecalculation", "ChurnPrediction", "WeeklyReport"):
        assert resources[job]["Properties"]["Timeout"] + 30 <= check, job


def test_every_job_is_checked_and_every_other_function_has_a_canary(template):
    functions = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    hooked = {name for name, properties in functions.items() if "Hooks" in properties["DeploymentPreference"]}
    checked = template["Resources"]["PreTrafficCheck"]["Properties"]["Environment"]["Variables"]["VERSIONS"]
    assert {version["Ref"] for version in checked["Fn::Join"][1]} == {f"{name}.Version" for name in hooked}
    scheduled = {name for name, properties in functions.items() if properties.get("Timeout", 15) > 15}
    assert hooked == scheduled
    for name in functions.keys() - hooked:
        preference = functions[name]["DeploymentPreference"]
        assert preference["Type"] == "Canary10Percent5Minutes"
        assert preference["Alarms"] == [{"Ref": f"{name}Failing"}]
    for name in hooked:
        assert functions[name]["DeploymentPreference"]["Type"] == "AllAtOnce"


def test_the_jobs_themselves_answer_what_the_check_reads(stack):
    for job in ("bundle-transitions", "tier-recalculation", "churn-prediction", "weekly-report"):
        summary = stack.invoke(job, dryRun=True)["summary"]
        assert summary.get("totalErrors", summary.get("errorsEncountered")) == 0
