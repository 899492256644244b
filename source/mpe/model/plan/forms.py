"""The forms of what is kept and handed on, each with a version.

A release reads what another one wrote: what a former release left in S3 and DynamoDB, and what the
functions of before a deployment answered in an execution that goes on after it. So each document,
row and payload bears a *mark*: the version of its form, the oldest version that one must know to
read it, and the release that wrote it. What bears no mark was written by 0.1.0, before there were
any: version 0.

* What a newer release added is ignored, or kept where a row is written again, as long as that
  release says that who knows no more than our version may read it (``needs``). Else we say so in
  words. Delta Lake's tables do it so, with ``minReaderVersion``
  (https://github.com/delta-io/delta/blob/master/PROTOCOL.md#protocol-evolution).
* What a former release wrote is brought to our version, step by step; what it did not know of has
  a default. No step is ever removed.
* What is added needs a new version. What means something else than before gets a new name, and
  ``needs`` the new version where a former release must not go on without knowing it.

``tests/test_upgrades.py`` holds the code to the shapes that each version has, and to what each
release wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from mpe.model.errors import NewerForm

RELEASE = "0.1.0"
"""What this release is called in what it writes: the version in ``pyproject.toml``."""
MARK = "form"
"""Where the mark is; no other key of ours or of the service's is called so."""

Step = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Form:
    """What one kind of document, row or payload looks like."""

    kind: str
    """What people call it."""
    remedy: str
    """What has it written anew by this release."""
    steps: tuple[Step, ...]
    """What makes each version into the next, from version 0 on."""
    needs: int = 0
    """The oldest version that one must know to read what this release writes."""

    @property
    def version(self) -> int:
        return len(self.steps)

    @property
    def mark(self) -> dict[str, Any]:
        return {"version": self.version, "needs": self.needs, "release": RELEASE}

    def marked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is to be written, with its mark."""
        return {**values, MARK: self.mark}

    def readable(self, saved: Mapping[str, Any]) -> bool:
        """Tell whether this release can read what some release wrote."""
        return _number(saved, "needs") <= self.version

    def read(self, saved: Mapping[str, Any]) -> dict[str, Any]:
        """Return what some release wrote in the form of this one, or raise NewerForm."""
        if not self.readable(saved):
            raise NewerForm(self._refusal(saved))
        found, version = saved, _number(saved, "version")
        for step in self.steps[version:]:
            found = step(found)
        newer_mark = _mark(saved) if version > self.version else self.mark
        return {**found, MARK: newer_mark}

    def _refusal(self, saved: Mapping[str, Any]) -> str:
        what = " ".join(filter(None, (self.kind, saved.get("record"))))
        by = _mark(saved).get("release", "?")
        return (
            f"{what} was written by release {by} in form {_number(saved, 'needs')}, and this "
            f"release, {RELEASE}, reads up to form {self.version}. Deploy release {by} or a newer "
            f"one again, or {self.remedy}."
        )


def known(cls: type[Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dataclass has fields for; the rest is of another release."""
    names = {one.name for one in fields(cls)}
    return {key: value for key, value in saved.items() if key in names}


def _mark(saved: Mapping[str, Any]) -> Mapping[str, Any]:
    found = saved.get(MARK)
    return found if isinstance(found, Mapping) else {}


def _number(saved: Mapping[str, Any], key: str) -> int:
    return int(_mark(saved).get(key, 0))


def _as_it_was(saved: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave what is the same but for its mark."""
    return saved


def _whole_places(saved: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give data its file and folder, which the first code of all had one prefix for."""
    resources = {id: _whole_place(one) for id, one in saved["resources"].items()}
    return {**saved, "resources": resources}


def _whole_place(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    data = resource.get("data")
    if not data or "prefix" not in data:
        return resource
    prefix = data["prefix"]
    return {**resource, "data": {**data, "file": f"{prefix}.csv", "folder": f"{prefix}/"}}


def _all_durations(saved: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a row with the last duration the list of those before it, of which there are none."""
    if "seconds" not in saved or "durations" in saved:
        return saved
    return {**saved, "durations": [saved["seconds"]]}


_AGAIN = "upload the config again, which has it written anew"
STATE = Form("the desired state", _AGAIN, (_whole_places, *[_as_it_was] * 4))
"""``state/<dataset group>/<run>.json`` in the data bucket."""
RUN = Form("the input of the run", _AGAIN, (_as_it_was,))
"""What an execution is started with: pointers."""
OUTCOME = Form(
    "what came of a step",
    "stop the run, and upload the config again",
    (_as_it_was, _as_it_was, _as_it_was),
)
"""What an ensure function answers, which comes back with the next call, and goes to the ledger."""
TASK = Form("the row of the task", _AGAIN, (_as_it_was,))
"""A row of the table of tasks."""
TURN = Form("the row of the run", _AGAIN, (_as_it_was, _as_it_was, _as_it_was))
"""A row of the table of turns: the newest config, the turn, a run, what a removal is to take."""
NOTE = Form(
    "the ledger's row", _AGAIN, (*(_as_it_was,) * 6, _all_durations, _as_it_was, _as_it_was)
)
"""What the ledger keeps beside outcomes: durations, what a job was made for, what was thought
and decided of versions and of data, what data is like, and what runs have made."""
FORMS = (STATE, RUN, OUTCOME, TASK, TURN, NOTE)
