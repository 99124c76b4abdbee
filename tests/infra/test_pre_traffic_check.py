"""The check that calls a job's new version before it takes over: the template's own code, against stand-ins."""

import io
import json
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from conftest import translated

VERSIONS = "BundleTransitions=arn:fn:transitions:8,TierRecalculation=arn:fn:tiers:5"
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}
GROUP = "regulars-TierRecalculationDeploymentGroup-1A2B"


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
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


class CodeDeploy:
    """CodeDeploy, which is told how the check of each deployment went."""

    def __init__(self, groups):
        self.groups, self.told = groups, {}

    def get_deployment(self, deploymentId):
        return {"deploymentInfo": {"deploymentGroupName": self.groups[deploymentId]}}

    def put_lifecycle_event_hook_execution_status(self, deploymentId, lifecycleEventHookExecutionId, status):
        assert lifecycleEventHookExecutionId == "hook-1"
        self.told[deploymentId] = status


class Context:
    """Lambda's context, with so much time left."""

    def __init__(self, seconds):
        self.seconds = seconds

    def get_remaining_time_in_millis(self):
        return self.seconds * 1000


def throttled():
    return ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}, "Invoke")


def check(template, monkeypatch, functions, deployments, versions=VERSIONS):
    """The check, as a function of Lambda; what it waits for takes no time."""
    clients = {"lambda": functions, "codedeploy": deployments}
    monkeypatch.setitem(sys.modules, "boto3", types.SimpleNamespace(client=lambda name, **_: clients[name]))
    monkeypatch.setenv("VERSIONS", versions)
    code = template["Resources"]["PreTrafficCheck"]["Properties"]["Code"]["ZipFile"]
    module = {}
    exec(compile(code, "index.py", "exec"), module)
    module["time"] = types.SimpleNamespace(sleep=lambda seconds: None)
    return module["handler"]


def checked(template, monkeypatch, answers, live=None, group=GROUP, left=900):
    """What CodeDeploy is told, and what was called."""
    functions = Lambda(answers, live or {"arn:fn:transitions": "7", "arn:fn:tiers": "4"})
    deployments = CodeDeploy({"d-1": group})
    check(template, monkeypatch, functions, deployments)(EVENT, Context(left))
    return deployments.told["d-1"], sorted(functions.called)


def swept(errors):
    return {"success": errors == 0, "results": [], "summary": {"totalErrors": errors}}


MOVED = {"success": True, "transitions": [], "errors": [], "summary": {"errorsEncountered": 0}}


def test_a_version_that_runs_takes_over_and_no_other_job_is_called(template, monkeypatch):
    answers = {"arn:fn:transitions:8": MOVED, "arn:fn:tiers:5": swept(0)}
    assert checked(template, monkeypatch, answers) == ("Succeeded", ["arn:fn:tiers:5", "arn:fn:tiers:live"])
    other = "regulars-BundleTransitionsDeploymentGroup-3C4D"
    called = ["arn:fn:transitions:8", "arn:fn:transitions:live"]
    assert checked(template, monkeypatch, answers, group=other) == ("Succeeded", called)


def test_a_deployment_that_may_be_for_any_job_has_all_of_them_checked(template, monkeypatch):
    answers = {"arn:fn:transitions:8": MOVED, "arn:fn:tiers:5": swept(0)}
    status, called = checked(template, monkeypatch, answers, group="tiers")
    assert (status, len(called)) == ("Succeeded", 4)
    assert checked(template, monkeypatch, {**answers, "arn:fn:tiers:5": throttled()}, group="tiers", left=0)[0] == "Failed"


def test_a_deployment_group_is_named_after_its_job(template):
    resources = translated(template)["Resources"]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function" and "Hooks" in resource["Properties"]["DeploymentPreference"]:
            group = resources[f"{name}DeploymentGroup"]
            assert group["Type"] == "AWS::CodeDeploy::DeploymentGroup"
            assert "DeploymentGroupName" not in group["Properties"], "CloudFormation names it: stack, name, and a number"


def test_a_version_that_is_live_already_is_not_called(template, monkeypatch):
    live = {"arn:fn:transitions": "7", "arn:fn:tiers": "5"}
    assert checked(template, monkeypatch, {}, live) == ("Succeeded", [])


def test_what_is_throttled_is_asked_for_again_while_there_is_time(template, monkeypatch):
    answers = {"arn:fn:tiers:5": [throttled(), throttled(), swept(1)], "arn:fn:tiers:live": [throttled(), swept(1)]}
    called = ["arn:fn:tiers:5"] * 3 + ["arn:fn:tiers:live"] * 2
    assert checked(template, monkeypatch, answers) == ("Succeeded", called)
    late = {"arn:fn:tiers:5": throttled(), "arn:fn:tiers:live": swept(0)}
    assert checked(template, monkeypatch, late, left=59) == ("Failed", ["arn:fn:tiers:5", "arn:fn:tiers:live"])


class NewAccount(Lambda):
    """Lambda in a new account: ten executions at a time, those of the check itself among them."""

    LIMIT = 10

    def __init__(self, live, checks):
        super().__init__({}, live)
        self.lock, self.running, self.most, self.runs = threading.Lock(), checks, checks, []
        self.met_limit = threading.Event()

    def invoke(self, FunctionName, Payload):
        with self.lock:
            if self.running == self.LIMIT:
                self.met_limit.set()
                raise throttled()
            self.running += 1
            self.most = max(self.most, self.running)
            self.runs.append(FunctionName)
        # The first runs last until there is no room for another.
        assert self.met_limit.wait(60)
        with self.lock:
            self.running -= 1
        return super().invoke(FunctionName, Payload)


def test_all_jobs_are_deployed_at_once_in_an_account_that_runs_ten_executions(template, monkeypatch):
    jobs = ["BundleTransitions", "PointsExpiry", "TierRecalculation", "ChurnPrediction", "WeeklyReport"]
    versions = ",".join(f"{job}=arn:fn:{job}:2" for job in jobs)
    functions = NewAccount({f"arn:fn:{job}": "1" for job in jobs}, checks=len(jobs))
    deployments = CodeDeploy({f"d-{job}": f"regulars-{job}DeploymentGroup-1A2B" for job in jobs})
    handler = check(template, monkeypatch, functions, deployments, versions)
    events = [{"DeploymentId": f"d-{job}", "LifecycleEventHookExecutionId": "hook-1"} for job in jobs]
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(lambda event: handler(event, Context(900)), events))
    assert deployments.told == {f"d-{job}": "Succeeded" for job in jobs}
    assert functions.most == NewAccount.LIMIT, "it was tight"
    assert sorted(functions.runs) == sorted(f"arn:fn:{job}:{what}" for job in jobs for what in ("2", "live"))


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
    answers = {"arn:fn:tiers:5": broken}
    assert checked(template, monkeypatch, answers)[0] == "Failed"


@pytest.mark.parametrize(("new", "live", "expected"), [(1, 0, "Failed"), (2, 2, "Succeeded"), (3, 2, "Failed")])
def test_a_version_may_meet_no_more_that_fails_than_the_one_that_is_live(template, monkeypatch, new, live, expected):
    answers = {"arn:fn:tiers:5": swept(new), "arn:fn:tiers:live": swept(live)}
    assert checked(template, monkeypatch, answers)[0] == expected


def test_codedeploy_is_told_whatever_happens(template, monkeypatch):
    live = {"arn:fn:tiers": RuntimeError("throttled")}
    assert checked(template, monkeypatch, {}, live)[0] == "Failed"


def test_a_version_that_is_live_and_broken_keeps_no_better_one_out(template, monkeypatch):
    broken = {"errorType": "Runtime.ExitError", "errorMessage": "it crashed"}
    answers = {"arn:fn:tiers:5": swept(0), "arn:fn:tiers:live": broken}
    assert checked(template, monkeypatch, answers)[0] == "Succeeded"
    answers["arn:fn:tiers:5"] = swept(1)
    assert checked(template, monkeypatch, answers)[0] == "Failed", "one that meets failures is held against nothing"


def test_a_run_has_less_time_than_the_check(template):
    resources = template["Resources"]
    check = resources["PreTrafficCheck"]["Properties"]["Timeout"]
    for job in ("BundleTransitions", "PointsExpiry", "TierRecalculation", "ChurnPrediction", "WeeklyReport"):
        assert resources[job]["Properties"]["Timeout"] + 30 <= check, job


def test_every_job_is_checked_and_every_other_function_has_a_canary(template):
    functions = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    hooked = {name for name, properties in functions.items() if "Hooks" in properties["DeploymentPreference"]}
    checked = template["Resources"]["PreTrafficCheck"]["Properties"]["Environment"]["Variables"]["VERSIONS"]
    named = [version["Fn::Join"][1] for version in checked["Fn::Join"][1]]
    assert {name: version["Ref"] for name, version in named} == {name: f"{name}.Version" for name in hooked}
    scheduled = {name for name, properties in functions.items() if properties.get("Timeout", 15) > 15}
    assert hooked == scheduled
    for name in functions.keys() - hooked:
        preference = functions[name]["DeploymentPreference"]
        assert preference["Type"] == "Canary10Percent5Minutes"
        assert preference["Alarms"] == [{"Ref": f"{name}Failing"}]
    for name in hooked:
        assert functions[name]["DeploymentPreference"]["Type"] == "AllAtOnce"


def test_the_jobs_themselves_answer_what_the_check_reads(stack):
    for job in ("bundle-transitions", "points-expiry", "tier-recalculation", "churn-prediction", "weekly-report"):
        summary = stack.invoke(job, dryRun=True)["summary"]
        assert summary.get("totalErrors", summary.get("errorsEncountered")) == 0
