"""What a resource type costs: the files of the source that must name it.

The two types that came last are counted, as the next one would be. A file counts where its code
names the type in any spelling; what its comments and docstrings say costs nothing, nor does data
that AWS publishes, nor what the emulator makes of a type beyond its class: that is its behaviour.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mpe

SOURCE = Path(mpe.__file__).parent
PUBLISHED = {"emulator/authorization.json"}
"""AWS's own data, which is fetched and not written."""
NEEDED = {
    "model/service/spec.py": "its row: operations, parents, data, section, what is filled in",
    "model/config/config.schema.json": "its section, for editors",
    "model/plan/desired/datasets.py": "what a section of it asks for",
    "model/plan/desired/stages.py": "its stage, from which the work and the workflow come",
    "emulator/resources/__init__.py": "that it is emulated",
    "emulator/settings.py": "how long it takes",
}
"""What every type costs."""
OWN = {
    "MetricAttribution": {
        "emulator/resources/attribution.py": "its class in the emulator",
        "model/config/checks/attribution.py": "checks of its own: the expressions of its metrics",
        "model/config/checks/groups.py": "what has an effect only with it",
        "model/config/checks/whole.py": "its checks among all",
        "model/rules/attribution.py": "the records of its checks",
        "model/rules/groups.py": "the record of what has an effect only with it",
        "model/config/sections.py": "a name for what those rules ask after",
        "model/plan/inventory.py": "when it is removed",
    },
    "DataDeletionJob": {
        "emulator/resources/upkeep.py": "its class in the emulator",
        "cli/apply.py": "a CSV of its own, which is uploaded beside the others",
        "model/config/sections.py": "a name for what that asks after",
        "model/plan/erasure.py": "what must not run beside it, and what is due after it",
        "model/plan/tasks.py": "it follows every scheduled import",
    },
}
"""What these two cost beyond it, since they are not like the others."""


def spellings(noun: str) -> re.Pattern[str]:
    """Match ``DataDeletionJob``, ``dataDeletionJobs``, ``data_deletion``, ``data-deletion-job``."""
    words = re.findall(r"[A-Z][a-z]+", noun.removesuffix("Job"))
    return re.compile("[-_]?".join(words), re.IGNORECASE)


def named(path: Path) -> Iterator[str]:
    """Yield the names and the texts in a file's code."""
    text = path.read_text()
    if path.suffix == ".json":
        yield text
        return
    tree = ast.parse(text)
    said = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in said:
                yield node.value
        else:
            yield from (
                value
                for field in ("id", "attr", "name", "arg")
                if isinstance(value := getattr(node, field, None), str)
            )


def cost(noun: str, source: Path = SOURCE) -> set[str]:
    """Return the files of the source whose code names a type."""
    wanted = spellings(noun)
    return {
        path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*"))
        if path.suffix in {".py", ".json"}
        and path.relative_to(source).as_posix() not in PUBLISHED
        and any(wanted.search(one) for one in named(path))
    }


@pytest.mark.parametrize("noun", OWN)
def test_a_resource_type_costs_what_every_type_does_and_what_it_has_of_its_own(noun: str) -> None:
    found = cost(noun)
    assert found >= NEEDED.keys() | OWN[noun].keys()
    beyond = found - NEEDED.keys() - OWN[noun].keys()
    assert not [one for one in beyond if not one.startswith("emulator/")], "say why, or undo it"


def test_the_next_resource_type_costs_no_more_than_eight_files() -> None:
    its_class = 1
    assert len(NEEDED) + its_class <= 8
