"""The picture of the stack in the docs, drawn from the synthesized template.

``python -m tests.diagram`` writes it. A node is a resource, or a family of alike ones; an arrow
leads from what refers to what it refers to: a rule to its target, a workflow to the functions
that it calls, a function to the tables, the bus and the topic that its settings name.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by python -m tests.diagram -->", "<!-- end of the drawing -->"
SHAPES = {
    "AWS::S3::Bucket": "[({})]",
    "AWS::DynamoDB::GlobalTable": "[({})]",
    "AWS::Lambda::Function": "[{}]",
    "AWS::StepFunctions::StateMachine": "{{{{{}}}}}",
    "AWS::Events::Rule": "([{}])",
    "AWS::Events::EventBus": "[/{}/]",
    "AWS::SNS::Topic": "[/{}/]",
    "AWS::SQS::Queue": "[/{}/]",
    "AWS::Scheduler::ScheduleGroup": "([{}])",
}
KINDS = {
    "AWS::S3::Bucket": "bucket",
    "AWS::DynamoDB::GlobalTable": "table",
    "AWS::Lambda::Function": "function",
    "AWS::StepFunctions::StateMachine": "workflow",
    "AWS::Events::Rule": "rule",
    "AWS::Events::EventBus": "event bus",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::Scheduler::ScheduleGroup": "schedules",
}
PERSONALIZE, S3_EVENTS = "Amazon Personalize", "aws.s3"
LEFT_OUT = ("AccessLogs",)

Template = Mapping[str, Any]


def picture(template: Template) -> str:
    """Return the template as a Mermaid flowchart."""
    resources: Mapping[str, Any] = template["Resources"]
    names = {id: name for id, one in resources.items() if (name := _name(id, one))}
    kinds = {names[id]: resources[id]["Type"] for id in names}
    ids = {name: f"n{number}" for number, name in enumerate(sorted(kinds))}
    ids[PERSONALIZE] = "service"
    lines = ["```mermaid", "flowchart LR"]
    for name in sorted(kinds):
        label = f'"{name}<br><small>{KINDS[kinds[name]]}</small>"'
        lines.append(f"  {ids[name]}{SHAPES[kinds[name]].format(label)}")
    lines.append(f'  service(("{PERSONALIZE}"))')
    lines += sorted(f"  {ids[one]} --> {ids[other]}" for one, other in _edges(resources, names))
    return "\n".join([*lines, "```"])


def _name(id: str, resource: Mapping[str, Any]) -> str:
    """Return what to call a resource: its construct's id, without CDK's digest."""
    if resource["Type"] not in SHAPES:
        return ""
    name = re.sub(r"[0-9A-F]{8}$", "", id)
    if any(part in name for part in LEFT_OUT):
        return ""
    if re.match(r"Ensure[A-Z]", name):
        return "Ensure…"
    name = re.sub(r"(?<=.)(Machine|Function)$", "", name)
    return re.sub(r"^(Notifications|ScheduledTasks|Schedules|Provisioning)(?=.)", "", name)


def _edges(resources: Mapping[str, Any], names: Mapping[str, str]) -> set[tuple[str, str]]:
    found = {
        (names[id], names[other])
        for id in names
        for other in _referred(_shown(resources[id]))
        if other in names and names[other] != names[id]
    }
    found |= {
        (_bucket(resources, names), names[id])
        for id, one in resources.items()
        if id in names and S3_EVENTS in str(one["Properties"].get("EventPattern"))
    }
    found |= {
        (names[other], names[id])
        for id, one in resources.items()
        if id in names
        for other in _referred(one["Properties"].get("EventBusName"))
    }
    return found | set(_callers(resources, names)) | set(_started(resources, names))


def _shown(resource: Mapping[str, Any]) -> Any:
    """Return the properties that say what it uses; a rule's pattern and alarms are not that."""
    properties = resource["Properties"]
    wanted = ("Environment", "DefinitionString", "Targets")
    return {key: properties[key] for key in wanted if key in properties}


def _referred(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": name}:
            yield name
        case {"Fn::GetAtt": [name, _]}:
            yield name
        case dict():
            for inner in value.values():
                yield from _referred(inner)
        case list():
            for inner in value:
                yield from _referred(inner)


def _bucket(resources: Mapping[str, Any], names: Mapping[str, str]) -> str:
    (found,) = {names[id] for id in names if resources[id]["Type"] == "AWS::S3::Bucket"}
    return found


def _started(resources: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what schedules start: the one workflow that bears a name, for they need it."""
    for group, one in resources.items():
        if one["Type"] == "AWS::Scheduler::ScheduleGroup":
            for id, other in resources.items():
                if "StateMachineName" in other.get("Properties", {}):
                    yield names[group], names[id]


def _callers(resources: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the functions whose roles may call Amazon Personalize."""
    roles = {
        role
        for one in resources.values()
        if one["Type"] == "AWS::IAM::Policy" and "personalize:" in json.dumps(one)
        for role in _referred(one["Properties"]["Roles"])
    }
    for id, one in resources.items():
        if one["Type"] == "AWS::Lambda::Function" and roles & set(
            _referred(one["Properties"]["Role"])
        ):
            yield names[id], PERSONALIZE


def page(text: str, template: Template) -> str:
    """Return the page with the picture between its marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{picture(template)}\n{END}{tail}"


if __name__ == "__main__":
    from tests.synth import synthesize

    with tempfile.TemporaryDirectory() as folder:
        synthesize(Path(folder))
        written = json.loads((Path(folder) / "PersonalizedExperiences.template.json").read_text())
    PAGE.write_text(page(PAGE.read_text(), written))
