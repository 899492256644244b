"""What each statement of a resource's policy is for: who needs it, or is kept out by it.

Each case is a request and what must become of it; a policy that lacks one of its statements must
fail one of them. MiniStack's evaluator decides, which is not ours, in the way that AWS describes
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html): a
service is let in by the policy alone, and a role, whose own policies allow it, unless it is denied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.arns import PLACE, resolved

Json = dict[str, Any]
ACCOUNT = PLACE.split(":")[1]
PLAIN = {"aws:securetransport": False}
OURS = {"aws:sourceaccount": ACCOUNT}
ALARM = {**OURS, "aws:sourcearn": f"arn:aws:cloudwatch:{PLACE}:alarm:mpe-Failed"}
KINDS = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
}
"""The resource-based policies, by where each keeps its document."""


@dataclass(frozen=True)
class Case:
    """One request, by its principal, and whether it must be let through."""

    told: str
    of: str
    """How the logical id of the policy begins."""
    who: str
    action: str
    below: str = ""
    """What follows the resource's ARN."""
    context: Mapping[str, Any] = field(default_factory=dict)
    let_in: bool = True


def _rule(name: str) -> dict[str, str]:
    return {"aws:sourcearn": f"rule {name}"}


PERSONALIZE, EVENTS = "personalize.amazonaws.com", "events.amazonaws.com"
CASES = (
    Case("a CSV is imported", "DataPolicy", PERSONALIZE, "s3:GetObject", "/train/g/a.csv"),
    Case("a batch job reads", "DataPolicy", PERSONALIZE, "s3:GetObject", "/batch/g/in.json"),
    Case("a batch job writes", "DataPolicy", PERSONALIZE, "s3:PutObject", "/batch/g/out.json"),
    Case("a dataset is exported", "DataPolicy", PERSONALIZE, "s3:PutObject", "/export/g/a.csv"),
    Case(
        "a report is written", "DataPolicy", PERSONALIZE, "s3:PutObject", "/metric-attribution/g/a"
    ),
    Case("a folder is listed", "DataPolicy", PERSONALIZE, "s3:ListBucket"),
    Case("a config is written", "DataPolicy", "role Someone", "s3:PutObject", "/train/g/a.json"),
    Case("a state is written", "DataPolicy", "role ConfigureRole", "s3:PutObject", "/state/g/1"),
    Case(
        "somebody else writes a state",
        "DataPolicy",
        "role Someone",
        "s3:PutObject",
        "/state/g/1.json",
        let_in=False,
    ),
    Case("a state is deleted", "DataPolicy", "role Someone", "s3:DeleteObject", "/state/g/1.json"),
    Case(
        "data is read in plain HTTP",
        "DataPolicy",
        "role Someone",
        "s3:GetObject",
        "/train/g/a.csv",
        PLAIN,
        let_in=False,
    ),
    Case(
        "logs are read in plain HTTP",
        "DataAccessLogsPolicy",
        "role Someone",
        "s3:GetObject",
        "/data-bucket/a",
        PLAIN,
        let_in=False,
    ),
    Case(
        "S3 logs an access",
        "DataAccessLogsPolicy",
        "logging.s3.amazonaws.com",
        "s3:PutObject",
        "/data-bucket/a",
        {**OURS, "aws:sourcearn": "bucket Data"},
    ),
    Case(
        "a letter is read in plain HTTP",
        "UndeliveredPolicy",
        "role Someone",
        "sqs:ReceiveMessage",
        context=PLAIN,
        let_in=False,
    ),
    *(
        Case(told, "UndeliveredPolicy", EVENTS, "sqs:SendMessage", context=_rule(name))
        for name, told in (
            ("Upload", "an upload that started nothing is kept"),
            ("Killed", "a killed run that was not told is kept"),
            ("NotificationsTell", "a mail that was not sent is kept"),
            ("Look", "a look after models that was not begun is kept"),
            ("Count", "a wish to have large data counted that nobody got is kept"),
        )
    ),
    Case(
        "a message is published in plain HTTP",
        "NotificationsToldSnsTopic",
        "role Someone",
        "sns:Publish",
        context=PLAIN,
        let_in=False,
    ),
    Case(
        "what acts for the account's owner publishes",
        "NotificationsToldSnsTopic",
        "account",
        "sns:Publish",
        context={"aws:sourceowner": ACCOUNT},
    ),
    Case(
        "an alarm is told",
        "NotificationsToldSnsTopic",
        "cloudwatch.amazonaws.com",
        "sns:Publish",
        context=ALARM,
    ),
    Case("a mail is encrypted", "NotificationsKey", "account", "kms:GenerateDataKey", context=OURS),
    Case(
        "an alarm is encrypted",
        "NotificationsKey",
        "cloudwatch.amazonaws.com",
        "kms:GenerateDataKey",
        context=ALARM,
    ),
)


def policies(template: Json) -> Iterator[tuple[str, list[Json]]]:
    """Yield each resource's policy: its logical id, and its statements as once deployed."""
    for name, resource in template["Resources"].items():
        key = KINDS.get(resource["Type"])
        if key:
            yield name, resolved(template, resource["Properties"][key]["Statement"])


def failed(template: Json, name: str, statements: list[Json]) -> list[Case]:
    """Return the cases of a policy that come out wrong with these statements."""
    cases = [case for case in CASES if name.startswith(case.of)]
    return [case for case in cases if _lets(template, statements, case) != case.let_in]


def _lets(template: Json, statements: list[Json], case: Case) -> bool:
    """Tell whether a policy lets a request through."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

    principal = _principal(template, case.who)
    asked = EvalContext(
        principal_arn=principal,
        principal_type="Service" if "amazonaws" in principal else "AssumedRole",
        principal_account=ACCOUNT,
        action=case.action,
        resource_arn=_place(statements) + case.below,
        region="us-east-1",
        secure_transport=bool(case.context.get("aws:securetransport", True)),
        service_context={key: _context(template, one) for key, one in case.context.items()},
    )
    found = evaluate_resource_policy({"Statement": statements}, asked, service=principal)
    if case.who.startswith("role "):
        return str(found.decision) != "Deny"
    return str(found.decision) == "Allow"


def _place(statements: list[Json]) -> str:
    """Return the ARN of the resource that statements are of."""
    resource = statements[0]["Resource"]
    return str(resource[0] if isinstance(resource, list) else resource).partition("/")[0]


def _principal(template: Json, who: str) -> str:
    if who == "account":
        return f"arn:aws:iam::{ACCOUNT}:root"
    name = who.removeprefix("role ")
    if name == who:
        return who
    return f"arn:aws:iam::{ACCOUNT}:role/{_named(template, name, 'AWS::IAM::Role') or name}"


def _named(template: Json, begins: str, kind: str) -> str | None:
    """Return the logical id of a resource of a type whose id begins so."""
    found = [
        name
        for name, one in template["Resources"].items()
        if one["Type"] == kind and name[:-8] == begins
    ]
    return found[0] if found else None


def _context(template: Json, value: Any) -> Any:
    """Return a value of the request's context, with the names of resources as their ARNs."""
    for word, kind in (("rule ", "AWS::Events::Rule"), ("bucket ", "AWS::S3::Bucket")):
        if str(value).startswith(word):
            name = _named(template, str(value).removeprefix(word), kind)
            return resolved(template, {"Fn::GetAtt": [name, "Arn"]})
    return value


def dropped(template: Json) -> Iterator[tuple[str, Json, list[Case]]]:
    """Yield each statement of each policy, and what comes out wrong without it."""
    for name, statements in policies(template):
        for at, statement in enumerate(statements):
            rest = [one for index, one in enumerate(statements) if index != at]
            yield name, statement, failed(template, name, rest)
