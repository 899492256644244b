"""What goes once a config names it no more: ``datasetGroup.workflowConfig.onRemoval``.

With ``delete`` that is what a run of this stack has made, and what is that very resource still: of
the same ARN and the same moment of creation. What somebody made by hand stays, and so does what the
stack was given by `mpe adopt`. A dataset stays as well, with the schema that it has or had: its
data may have been streamed and lie nowhere else, and neither costs anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from mpe.model.plan.desired import DELETE, DesiredState
from mpe.model.plan.inventory import REMOVAL, Found

PATH = "$.datasetGroup.workflowConfig.onRemoval"
REMOVED = "removed"
"""What a run did to what is gone."""
HOLDS_DATA = frozenset({"DatasetGroup", "Dataset", "Schema"})
GOES = frozenset(noun for stage in REMOVAL for noun in stage) - HOLDS_DATA
"""The types of what a run may remove."""


@dataclass(frozen=True)
class Made:
    """Something that a run of this stack has made."""

    noun: str
    name: str
    arn: str
    created: str
    """When, as the service tells it: who makes another of its name makes it at another time."""
    removing: str | None = None
    """The run that is removing it."""
    since: str | None = None
    """When that run first asked for it."""

    @classmethod
    def of(cls, noun: str, name: str, arn: str, fields: Mapping[str, Any]) -> Made:
        return cls(noun, name, arn, moment(fields))

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}

    def is_still(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether what the service describes is what was made, and no other of its name."""
        return moment(fields) == self.created


def moment(fields: Mapping[str, Any]) -> str:
    """Return when the service says that something was made, or nothing where it does not."""
    told = fields.get("creationDateTime")
    return told.astimezone(UTC).isoformat() if isinstance(told, datetime) else ""


def going(state: DesiredState, made: Iterable[Made]) -> Iterator[tuple[Made, ...]]:
    """Yield what a run of a state is to remove, stage after stage in the service's order."""
    if state.on_removal != DELETE:
        return
    named = {(one.noun, one.name) for one in state.resources.values()}
    left = [one for one in made if (one.noun, one.name) not in named and one.created]
    for nouns in REMOVAL:
        stage = tuple(one for one in left if one.noun in nouns and one.noun in GOES)
        if stage:
            yield stage


@dataclass(frozen=True)
class Left:
    """What a dataset group has and a config has not: it goes, or it stays."""

    found: Found
    why: str
    goes: bool = False
    note: str = ""
    """What may be done about it."""


def left(
    state: DesiredState, made: Iterable[Made], there: Iterable[Found], named: Iterable[str]
) -> Iterator[Left]:
    """Yield what there is besides what a config names: first what goes, in the order of that."""
    known = frozenset(named)
    others = {one.arn: one for one in there if one.arn not in known and one.noun != "Schema"}
    gone: set[str] = set()
    for stage in going(state, made):
        for one in stage:
            found = others.get(one.arn)
            if found is None or not one.is_still(found.fields):
                continue
            used = users(one.arn, (each for each in others.values() if each.arn not in gone))
            if used:
                yield Left(found, f"not in the config, and stays: {used}")
            else:
                yield Left(found, "not in the config, and removed at the end of the run", goes=True)
            gone.add(one.arn)
    for found in others.values():
        if found.arn not in gone:
            yield Left(found, _stays(found), note=_note(state, found))


def users(solution: str, found: Iterable[Found]) -> str:
    """Say which campaigns of others serve a solution, which therefore cannot go."""
    below = f"{solution}/"
    names = [
        one.name
        for one in found
        if one.noun == "Campaign" and one.fields["solutionVersionArn"].startswith(below)
    ]
    return serves(names)


def serves(names: Iterable[str]) -> str:
    """Say that campaigns use a solution, if any do."""
    told = ", ".join(names)
    return f"the campaign {told} uses it, which no run of this stack made" if told else ""


def _stays(one: Found) -> str:
    if one.noun in BILLED and one.status != "INACTIVE":
        return "not in the config, still billed"
    if one.noun == "Solution" and one.fields.get("performAutoTraining"):
        return "not in the config, still trained by the service, and billed"
    return "not in the config, left as it is"


BILLED = frozenset({"Campaign", "Recommender"})
"""What is billed for as long as it is there and not stopped
(https://aws.amazon.com/personalize/pricing/)."""


def _note(state: DesiredState, one: Found) -> str:
    command = f"`mpe remove {state.group} {one.typed}` removes it"
    if one.noun in HOLDS_DATA:
        return f"what holds data stays whatever onRemoval says; {command}"
    if state.on_removal == DELETE:
        return f"no run of this stack made it, so that onRemoval leaves it; {command}"
    return f"it stays, as onRemoval is {state.on_removal}; {command}"
