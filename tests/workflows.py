"""Golden files and pictures of the workflows: ``python -m tests.workflows`` writes them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"
PICTURES = ROOT / "docs" / "workflows.md"
TITLES = {
    "Provisioning": "Provisioning: a dataset group and everything in it",
    "Solution": "Solution: one solution, in an execution of its own",
    "ScheduledTask": "Scheduled task: one run of a part of the work",
}
HEAD = """# The workflows

Pictures of the state machines as they are deployed, made from the synthesized template by
`python -m tests.workflows`. A dotted line leads to where a failure goes; retries are left out.
"""

Definition = Mapping[str, Any]


def definitions(template: Mapping[str, Any]) -> dict[str, Definition]:
    """Return each machine's definition by its name, with references by the names they have."""
    found = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            parts = resource["Properties"]["DefinitionString"]["Fn::Join"][1]
            text = "".join(one if isinstance(one, str) else f"<{_referred(one)}>" for one in parts)
            definition = json.loads(text)
            found[_name(definition["Comment"])] = definition
    return found


def _name(comment: str) -> str:
    return {"Prov": "Provisioning", "Trai": "Solution", "Runs": "ScheduledTask"}[comment[:4]]


def _referred(reference: Mapping[str, Any]) -> str:
    """Return what a reference is to, without the digest that CDK adds."""
    (value,) = reference.values()
    name = value[0] if isinstance(value, list) else value
    return re.sub(r"[0-9A-F]{8}$", "", str(name))


def golden(definition: Definition) -> str:
    return json.dumps(definition, indent=2, sort_keys=True) + "\n"


def picture(definition: Definition) -> str:
    """Draw a definition as a Mermaid flowchart."""
    return "\n".join(["flowchart TD", *_lines(definition, "s")])


def _lines(definition: Definition, prefix: str) -> Iterator[str]:
    names = {name: f"{prefix}{index}" for index, name in enumerate(definition["States"])}
    for name, state in definition["States"].items():
        yield from _state(name, state, names)


def _state(name: str, state: Definition, names: Mapping[str, str]) -> Iterator[str]:
    own, kind = names[name], state["Type"]
    inner = [one for one in (state.get("ItemProcessor"), *state.get("Branches", ())) if one]
    if inner:
        title = f"for each: {name}" if kind == "Map" else f"side by side: {name}"
        yield f'  subgraph {own}["{title}"]'
        for index, one in enumerate(inner):
            yield from _lines(one, f"{own}_{index}_")
        yield "  end"
    else:
        opening, closing = {
            "Choice": ("{", "}"),
            "Succeed": ("([", "])"),
            "Fail": ("[[", "]]"),
            "Wait": ("(", ")"),
        }.get(kind, ("[", "]"))
        yield f'  {own}{opening}"{name}"{closing}'
    for target in dict.fromkeys(
        one for one in (state.get("Next"), *(c["Next"] for c in state.get("Choices", ())),
                        state.get("Default")) if one
    ):  # fmt: skip
        yield f"  {own} --> {names[target]}"
    for catch in state.get("Catch", ()):
        yield f"  {own} -.-> {names[catch['Next']]}"


def pictures(found: Mapping[str, Definition]) -> str:
    parts = [HEAD]
    for name, title in TITLES.items():
        parts.append(f"## {title}\n\n```mermaid\n{picture(found[name])}\n```\n")
    return "\n".join(parts)


def synthesized(folder: Path) -> Mapping[str, Any]:
    """Return the real app's template."""
    from mpe.assembly.synthesis import synthesize

    found: Mapping[str, Any] = json.loads(synthesize(folder).template.read_text())
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        machines = definitions(synthesized(Path(folder)))
    GOLDEN.mkdir(exist_ok=True)
    for machine, written in machines.items():
        (GOLDEN / f"{machine}.asl.json").write_text(golden(written))
    PICTURES.write_text(pictures(machines))
