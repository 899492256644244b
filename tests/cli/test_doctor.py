"""``mpe doctor``: each thing that can be wrong with an account is told, with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from click.testing import CliRunner

from mpe.cli.diagnosis import CHECKS, RUNTIME, Diagnosis, Verdict, diagnose
from mpe.cli.main import mpe
from mpe.infrastructure.package import LAMBDA

RIGHT, WRONG, WARNING, UNTRIED = Verdict
ROLE = "arn:aws:iam::000000000000:role/service"
OUTPUTS = {"Topic": "arn:aws:sns:us-east-1:000000000000:told", "PersonalizeRole": ROLE,
           "DataBucket": "data"}  # fmt: skip
SUBSCRIBED = {"SubscriptionArn": "arn:aws:sns:us-east-1:000000000000:told:1",
              "Endpoint": "you@example.com"}  # fmt: skip
POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "personalize.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::data/*",
        },
        {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "s3:*", "Resource": "*"},
    ]
}


def stack(name: str, status: str = "CREATE_COMPLETE", **outputs: str) -> dict[str, Any]:
    rows = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"StackName": name, "StackStatus": status, "Outputs": rows}


def quota(name: str, value: float) -> dict[str, Any]:
    return {"QuotaName": name, "Value": value}


def simulate(params: Any) -> dict[str, Any]:
    """Answer as IAM does of a role that may do all of S3 and nothing else."""
    (action,) = params["ActionNames"]
    decision = "allowed" if action.startswith("s3:") else "implicitDeny"
    return {"EvaluationResults": [{"EvalActionName": action, "EvalDecision": decision}]}


@dataclass
class Fake:
    """An account in which all is right; botocore checks and writes each request for real."""

    stack: str = "PersonalizedExperiences"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stacks = {
            "CDKToolkit": stack("CDKToolkit", BootstrapVersion="30"),
            self.stack: stack(self.stack, **OUTPUTS),
        }
        self.answers: dict[str, Any] = {
            "GetCallerIdentity": {"Arn": "arn:aws:iam::000000000000:user/you", "Account": "0" * 12},
            "ListDatasetGroups": {"datasetGroups": [{"name": "films"}]},
            "ListSchemas": {"schemas": []},
            "DescribeStacks": self._describe,
            "DescribeStackEvents": {"StackEvents": []},
            "ListStackResources": {
                "StackResourceSummaries": [
                    {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "begin"},
                    {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "data"},
                ]
            },
            "GetFunctionConfiguration": {"Runtime": RUNTIME, "State": "Active"},
            "ListServiceQuotas": {
                "Quotas": [quota("Active dataset groups", 5), quota("Active schemas", 500)]
            },
            "DescribeResourcePolicies": {"resourcePolicies": []},
            "ListSubscriptionsByTopic": {"Subscriptions": [SUBSCRIBED]},
            "SimulatePrincipalPolicy": simulate,
            "SimulateCustomPolicy": simulate,
            "GetBucketPolicy": {"Policy": json.dumps(POLICY)},
        }

    def client(self, service: str) -> Any:
        made = boto3.client(
            service,
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        made.meta.events.register("before-parameter-build", self._note)
        made.meta.events.register("before-call", self._answer)
        return made

    def _note(self, params: Any, context: Any, **_: Any) -> None:
        context["mpe"] = dict(params)

    def _answer(self, model: Any, context: Any, **_: Any) -> Any:
        self.asked.append(model.name)
        answer = self.answers[model.name]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(context["mpe"])
        refused = "Error" in answer
        return SimpleNamespace(status_code=400 if refused else 200), answer

    def _describe(self, params: Any) -> dict[str, Any]:
        name = params["StackName"]
        if name not in self.stacks:
            return refusal("ValidationError", f"Stack with id {name} does not exist")
        return {"Stacks": [self.stacks[name]]}


def refusal(code: str, message: str = "no") -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}}


@pytest.fixture
def fake() -> Fake:
    return Fake()


def told(fake: Fake) -> dict[str, Diagnosis]:
    """Return the worst that each check found."""
    order = [WRONG, WARNING, UNTRIED, RIGHT]
    found: dict[str, Diagnosis] = {}
    for one in diagnose(fake):
        known = found.get(one.check)
        if known is None or order.index(one.verdict) < order.index(known.verdict):
            found[one.check] = one
    return found


def test_an_account_in_which_all_is_right(fake: Fake) -> None:
    found = told(fake)
    assert found.keys() == CHECKS.keys()
    assert {one.verdict for one in found.values()} == {RIGHT}, found


def test_nothing_is_changed(fake: Fake) -> None:
    list(diagnose(fake))
    reading = ("Get", "List", "Describe", "Simulate")
    assert all(name.startswith(reading) for name in fake.asked), fake.asked


def test_before_it_is_deployed_only_what_is_there_is_asked(fake: Fake) -> None:
    del fake.stacks[fake.stack]
    found = told(fake)
    assert found["stack"].verdict == WARNING
    assert not {"mails", "functions", "service role", "bucket policy"} & found.keys()


def test_the_runtime_is_the_templates() -> None:
    assert ".".join(map(str, LAMBDA.python)) == RUNTIME.removeprefix("python")


def change(**answers: Any) -> Callable[[Fake], None]:
    return lambda fake: fake.answers.update(answers)


def with_stack(
    name: str, status: str = "CREATE_COMPLETE", **outputs: str
) -> Callable[[Fake], None]:
    return lambda fake: fake.stacks.update({name: stack(name, status, **outputs)})


def logged(name: str, length: int) -> dict[str, Any]:
    return {"resourcePolicies": [{"policyName": name, "policyDocument": "x" * length}]}


OURS = "PersonalizedExperiences"
FAILED = {
    "StackEvents": [
        {"LogicalResourceId": "Second", "ResourceStatus": "CREATE_FAILED",
         "ResourceStatusReason": "Resource creation cancelled"},
        {"LogicalResourceId": "Machine", "ResourceStatus": "CREATE_FAILED",
         "ResourceStatusReason": "Resource Policy size was exceeded"},
        {"LogicalResourceId": OURS, "ResourceStatus": "CREATE_IN_PROGRESS",
         "ResourceStatusReason": "User Initiated"},
        {"LogicalResourceId": "Older", "ResourceStatus": "CREATE_FAILED",
         "ResourceStatusReason": "of another time"},
    ]
}  # fmt: skip
WITHOUT = EndpointConnectionError(endpoint_url="https://personalize.eu-north-1.amazonaws.com")
DENIED = refusal("AccessDenied", "User: you is not authorized")
NOT_READ = {"Policy": json.dumps({"Statement": POLICY["Statement"][1:]})}


def denies(params: Any) -> dict[str, Any]:
    if "SecureTransport" in str(params.get("PolicyInputList")):
        return simulate(params)  # it is asked whether it knows its context
    return {"EvaluationResults": [{"EvalDecision": "explicitDeny"}]}


def allows(params: Any) -> dict[str, Any]:
    return {"EvaluationResults": [{"EvalDecision": "allowed"}]}


CASES = [
    ("credentials", change(GetCallerIdentity=NoCredentialsError()), WRONG, "AWS_PROFILE"),
    ("credentials", change(GetCallerIdentity=refusal("ExpiredToken")), UNTRIED, "GetCaller"),
    ("service", change(ListDatasetGroups=WITHOUT), WRONG, "eu-west-1"),
    ("service", change(ListDatasetGroups=DENIED), UNTRIED, "ListDatasetGroups"),
    ("bootstrap", lambda fake: fake.stacks.pop("CDKToolkit"), WARNING, "cdk bootstrap"),
    ("bootstrap", with_stack("CDKToolkit", BootstrapVersion="4"), WRONG, "cdk bootstrap"),
    ("bootstrap", with_stack("CDKToolkit", "ROLLBACK_FAILED"), WRONG, "cdk bootstrap"),
    ("quotas", change(ListServiceQuotas={"Quotas": [quota("Active dataset groups", 1),
                                                    quota("Schemas", 9)]}), WRONG, "ask for more"),
    ("quotas", change(ListServiceQuotas={"Quotas": []}), UNTRIED, "console"),
    ("quotas", change(ListServiceQuotas=refusal("NoSuchResourceException")), UNTRIED, "needs"),
    ("log deliveries", change(DescribeResourcePolicies=logged("AWSLogDeliveryWrite20150319", 5000)),
     WRONG, "put-resource-policy"),
    ("stack", with_stack(OURS, "CREATE_IN_PROGRESS", **OUTPUTS), WARNING, "Wait"),
    ("mails", change(ListSubscriptionsByTopic={"Subscriptions": [
        {**SUBSCRIBED, "SubscriptionArn": "PendingConfirmation"}]}), WRONG, "Follow the link"),
    ("mails", change(ListSubscriptionsByTopic={"Subscriptions": []}), WARNING, "Email="),
    ("functions", change(GetFunctionConfiguration={"Runtime": "python3.9", "State": "Active"}),
     WRONG, "Deploy this version"),
    ("functions", change(GetFunctionConfiguration={"Runtime": RUNTIME, "State": "Failed"}),
     WRONG, "Deploy this version"),
    ("service role", change(SimulatePrincipalPolicy=denies), WRONG, "Deploy the stack again"),
    ("service role", change(SimulatePrincipalPolicy=allows), UNTRIED, "IAM itself"),
    ("bucket policy", change(SimulateCustomPolicy=denies), WRONG, "Deploy the stack again"),
    ("bucket policy", change(SimulateCustomPolicy=lambda _: {"EvaluationResults": [
        {"EvalDecision": "implicitDeny"}]}), UNTRIED, "IAM itself"),
    ("bucket policy", change(GetBucketPolicy=refusal("NoSuchBucketPolicy")), UNTRIED, "needs"),
    ("bucket policy", change(GetBucketPolicy={"Policy": "{"}), UNTRIED, "endpoint"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "bend", "verdict", "remedy"), CASES)
def test_what_is_wrong_is_told_with_what_to_do(
    fake: Fake, check: str, bend: Callable[[Fake], None], verdict: Verdict, remedy: str
) -> None:
    bend(fake)
    found = told(fake)
    assert (found[check].verdict, remedy in found[check].remedy) == (verdict, True), found[check]
    others = {one.verdict for name, one in found.items() if name != check}
    assert others <= {RIGHT, *({UNTRIED} if check == "service" else ())}


def test_the_first_failure_of_the_newest_change_is_told(fake: Fake) -> None:
    fake.stacks[OURS] = stack(OURS, "ROLLBACK_COMPLETE")
    fake.answers["DescribeStackEvents"] = FAILED
    found = told(fake)["stack"]
    assert found.verdict == WRONG
    assert found.told.endswith("Machine: Resource Policy size was exceeded")


def test_the_service_is_asked_for_in_the_policies_that_concern_it_alone(fake: Fake) -> None:
    seen: list[str] = []

    def noted(params: Any) -> dict[str, Any]:
        seen.extend(params["PolicyInputList"])
        return simulate(params)

    fake.answers["SimulateCustomPolicy"] = noted
    list(diagnose(fake))
    (document,) = {one for one in seen if "SecureTransport" not in one}
    assert [one["Action"] for one in json.loads(document)["Statement"]] == ["s3:GetObject"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment without credentials, whose endpoint nobody serves."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return


@pytest.mark.usefixtures("nowhere")
def test_without_credentials_the_command_says_so_and_nothing_passes() -> None:
    result = CliRunner().invoke(mpe, ["doctor", "--output", "json"])
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert {one["verdict"] for one in found} == {WRONG}
    assert "Traceback" not in result.output
