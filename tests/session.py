"""What somebody sees who keeps the example's dataset group for the first time: every command and
what it prints, one after another, written to docs/session.md.

    python -m tests.session

The commands are real, and so are the functions that handle what they upload; the service is the
emulator, with a few rows in the place of MovieLens. Moments, and what is named by them, are masked.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.maintained import Maintained, maintained
from tests.conftest import ROOT, config, interactions

PAGE = ROOT / "docs" / "session.md"
GROUP = "movielens"
CONFIG = f"train/{GROUP}/config.json"
BY_HAND = "by-hand"
HEAD = """\
# A session, as printed

What the commands print to somebody who keeps the example's dataset group for the first time: plan,
apply, change, remove, export, adopt, destroy. This page is written by `python -m tests.session`,
which runs the real commands and the stack's own functions against the emulator of Amazon
Personalize, with a few made-up rows in the place of MovieLens; a test holds it to what is printed.
Moments are masked: a run is `RUN`, a time `TIME`.
"""


class Session:
    """Types commands, and keeps what they print."""

    def __init__(self, stack: Maintained) -> None:
        self.stack = stack
        self.parts: list[str] = [HEAD]

    def tells(self, title: str, words: str) -> None:
        """Begin a part of the page."""
        self.parts.append(f"## {title}\n\n{words}\n")

    def types(self, *words: str, exit_code: int = 0) -> str:
        """Run a command, which must end with an exit code; return what it printed."""
        result = self.stack.mpe(*words)
        if result.exit_code != exit_code:
            raise ValueError(f"mpe {shlex.join(words)}: {result.exit_code}\n{result.output}")
        ended = f"\nexit code {exit_code}" if exit_code else ""
        shown = self._masked(f"$ mpe {shlex.join(words)}\n{result.output.rstrip()}{ended}")
        self.parts.append(f"```console\n{shown}\n```\n")
        return str(result.output)

    def runs(self, document: dict[str, Any]) -> None:
        """Let the stack handle what was uploaded, as it does by itself."""
        told = self.stack.upload(document, CONFIG)
        if told["Status"] != "SUCCEEDED":
            raise ValueError(str(told))

    def _masked(self, text: str) -> str:
        for pattern, mask in MASKS:
            text = re.sub(pattern, mask, text)
        return "\n".join(line.rstrip() for line in text.splitlines())


MASKS = (
    (r"\b\d{8}T\d{6}-[0-9a-f]{8}\b", "RUN"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?", "TIME"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME"),
    (r"\b[0-9a-f]{8}(?= NDCG)", "MODEL"),
    (r"\b[\d.]+ (s|min|h)( \d+ (s|min))?\b", "A WHILE"),
    (r"\bTOOK +", f"{'TOOK':9}"),  # a column is as wide as the longest of its times
    (r"\bA WHILE {2,}", f"{'A WHILE':9}"),
)
"""What differs from one session to the next, and what stands for it."""


def users_and_items(rows: str) -> tuple[str, str]:
    """Return the CSVs of the users and of the items of interactions."""
    found = [row.split(",")[:2] for row in rows.splitlines()[1:]]
    users, items = (sorted({row[column] for row in found}) for column in (0, 1))
    of_users = [f"{user},Drama,30" for user in users]
    of_items = [f"{item},The film {item},Drama,1999" for item in items]
    return (
        "\n".join(["USER_ID,FAVOURITE_GENRE,RATINGS", *of_users]) + "\n",
        "\n".join(["ITEM_ID,TITLE,GENRES,YEAR", *of_items]) + "\n",
    )


def session(stack: Maintained) -> str:
    """Have the session in the stack's folder, where this process must be; return the page."""
    said = Session(stack)
    document = config()
    rows = interactions()
    data = stack.folder / "data"
    data.mkdir()
    (data / "interactions.csv").write_text(rows)
    for name, text in zip(("users", "items"), users_and_items(rows), strict=True):
        (data / f"{name}.csv").write_text(text)
    for part in (_begins, _changes, _removes, _exports, _adopts, _destroys):
        document = part(said, document)
    return "\n".join(said.parts)


def _config(said: Session, document: dict[str, Any]) -> str:
    return Path(said.stack.config(document)).name


def _begins(said: Session, document: dict[str, Any]) -> dict[str, Any]:
    said.tells("The first time", "What would be made, and then making it.")
    path = _config(said, document)
    said.types("validate", path)
    said.types("plan", path, exit_code=2)
    said.types("apply", path, "--data", "data", "--yes")
    said.runs(document)
    said.types("runs", GROUP)
    said.types("status", GROUP)
    said.types("plan", path)
    return document


def _changes(said: Session, document: dict[str, Any]) -> dict[str, Any]:
    said.tells(
        "A change", "The campaign gets more throughput, and the group a weekly training and import."
    )
    changed = copy.deepcopy(document)
    solution = changed["solutions"][0]
    solution["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    solution["workflowConfig"] = {"schedules": {"full": "rate(7 days)"}}
    changed["datasetGroup"]["workflowConfig"] = {"schedules": {"import": "cron(0 3 * * ? *)"}}
    path = _config(said, changed)
    said.types("plan", path, exit_code=2)
    said.types("apply", path, "--yes")
    said.runs(changed)
    said.types("schedule", "list", GROUP)
    return changed


def _removes(said: Session, document: dict[str, Any]) -> dict[str, Any]:
    said.tells(
        "Less",
        "A filter that the config names no more stays until somebody says otherwise: "
        "with `mpe remove`, or with `onRemoval` for whatever the config names no more.",
    )
    less = copy.deepcopy(document)
    less["filters"] = []
    path = _config(said, less)
    said.types("plan", path, exit_code=2)
    less["datasetGroup"]["workflowConfig"]["onRemoval"] = "delete"
    path = _config(said, less)
    said.types("plan", path, exit_code=2)
    said.types("apply", path, "--yes")
    said.runs(less)
    said.types("remove", GROUP, "campaign/movielens-for-you", "--yes")
    said.types("plan", path, exit_code=2)
    said.runs(less)
    return less


def _exports(said: Session, document: dict[str, Any]) -> dict[str, Any]:
    said.tells("Back to a config", "A config of what there is, which changes nothing.")
    path = "exported.json"
    said.types("export", GROUP, "--out", path)
    said.types("plan", path)
    return document


def _adopts(said: Session, document: dict[str, Any]) -> dict[str, Any]:
    said.tells(
        "What was made by hand",
        "Another dataset group is there, which somebody has made in the console.",
    )
    service = said.stack.personalize
    group = service.create_dataset_group(name=BY_HAND)["datasetGroupArn"]
    written = document["datasets"]["interactions"]["schema"]["serviceConfig"]["schema"]
    schema = service.create_schema(name=BY_HAND, schema=json.dumps(written))["schemaArn"]
    _until_active(service.describe_dataset_group, datasetGroupArn=group)
    service.create_dataset(
        name=BY_HAND, datasetGroupArn=group, datasetType="Interactions", schemaArn=schema
    )
    said.types("adopt", BY_HAND, "--yes")
    return document


def _until_active(describe: Any, **of: str) -> None:
    while next(one for one in describe(**of).values() if "status" in one)["status"] != "ACTIVE":
        pass


def _destroys(said: Session, document: dict[str, Any]) -> dict[str, Any]:
    said.tells("The end", "All of it goes, in the order that the service asks for.")
    said.types("destroy", GROUP, "--data", "--confirm", GROUP)
    said.types("status", GROUP, exit_code=1)
    return document


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as monkeypatch,
        maintained(Path(folder), monkeypatch) as stack,
    ):
        monkeypatch.chdir(folder)
        PAGE.write_text(session(stack))
