"""What a config changes in all that it owns, as `plan`, `apply` and `adopt` print it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from mpe.aws.inventory import Inventories
from mpe.aws.objects import Objects, state_of
from mpe.aws.personalize import Missing, Personalize
from mpe.aws.survey import Step, survey
from mpe.aws.tasks import Tasks
from mpe.cli.account import Account
from mpe.cli.terminal import say
from mpe.cli.validate import PROBLEMS
from mpe.model.config.sections import Config
from mpe.model.plan.changes import (
    TaskChange,
    age_changes,
    properties,
    task_changes,
    told_change,
    told_property,
)
from mpe.model.plan.desired import DesiredState, desired_state
from mpe.model.plan.inventory import Found
from mpe.model.plan.reconcile import Change, Create, Mark, Reject, Skip, Update, Wait
from mpe.model.plan.removals import Left, left

CHANGES = 2
WARNED = "warn"
"""Nothing that the run refuses, and yet hardly what is wanted."""


@dataclass(frozen=True)
class Plan:
    """Everything that an upload would change, and what it would leave behind."""

    steps: tuple[Step, ...]
    tasks: tuple[TaskChange, ...] = ()
    ages: tuple[tuple[str, Change], ...] = ()
    left: tuple[Left, ...] = ()
    """What the group has and the config has not, and what becomes of it."""
    expected: frozenset[str] = frozenset()
    """The ids of the imports whose CSVs are not optional."""

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a line of the plan after the other, as JSON has it."""
        ages = dict(self.ages)
        for step in self.steps:
            yield _row(step, ages.get(step.desired.id), expected=step.desired.id in self.expected)
        for task in self.tasks:
            yield _task(task)
        for one in self.left:
            yield _not_named(one)


def planned(config: Config, account: Account, objects: Objects, *, take_over: bool = False) -> Plan:
    """Return what uploading a config would change, with the data as some objects are.

    With ``take_over`` it does not matter which stack maintains the dataset group.
    """
    place, turns = account.place(), account.turns
    place = replace(place, stack="") if take_over else place
    group = str(config.group.params["name"])
    state = desired_state(config, place, version="plan", folder=turns.folder(group))
    personalize = Personalize(account.client("personalize"))
    steps = tuple(survey(state, personalize, objects, account.ledger, account.clock))
    rows = Tasks(account.table("TasksTable")).of(group)
    named = [one.observed.arn if one.observed else str(one.desired.arn) for one in steps]
    there = _there(personalize, str(state.resources["datasetGroup"].arn))
    return Plan(
        steps,
        tuple(task_changes(rows, state.tasks)),
        tuple(age_changes(_before(account, group), state)),
        tuple(left(state, account.ledger.made(group), there, named)),
        frozenset(f"import.{one.kind}" for one in config.datasets if not one.data_optional),
    )


def _there(personalize: Personalize, group_arn: str) -> list[Found]:
    try:
        return list(Inventories(personalize).named(group_arn))
    except Missing:
        return []


def _before(account: Account, group: str) -> DesiredState | None:
    """Return what the group's newest config wanted, or None where that is not known."""
    run = account.turns.newest_run(group)
    if run is None:
        return None
    try:
        pointer = state_of(account.output("DataBucket"), group, run)
        return Objects(account.client("s3")).load_state(pointer)
    except ClientError:
        return None


def _row(step: Step, age: Change | None, *, expected: bool) -> dict[str, Any]:
    told = {
        "action": type(step.action).__name__.lower(),
        "resource": step.desired.noun,
        "name": step.desired.name,
        "path": step.desired.path,
        **({"note": step.note} if step.note else {}),
        **({"owner": step.observed.owner} if step.observed and step.observed.owner else {}),
        **({"held": step.held} if step.held else {}),
    }
    changes = [asdict(age)] if age else []
    if step.unread and (expected or not isinstance(step.action, Skip)):
        return {**told, "action": WARNED, "note": _unread(step)}
    match step.action:
        case Create(why):
            params = {**step.desired.initial, **step.desired.params}
            found = properties(step.desired.noun, params)
            return {**told, "why": why, **({"properties": found} if found else {})}
        case Update(_, drifted):
            return {**told, "changes": [*(asdict(change) for change in drifted), *changes]}
        case Reject(error, message):
            return {**told, "error": error, "message": message}
        case Mark(_, stack):
            note = f"the next run marks it as maintained by the stack {stack}."
            return {**told, "action": "keep", "note": " ".join(filter(None, (step.note, note)))}
    return {**told, "action": "update", "changes": changes} if changes else told


def _not_named(one: Left) -> dict[str, Any]:
    return {
        "action": "delete" if one.goes else "leave",
        "resource": one.found.noun,
        "name": one.found.name,
        "why": one.why,
        **({"note": one.note} if one.note else {}),
    }


def _unread(step: Step) -> str:
    if isinstance(step.action, Skip):
        return f"no CSV lies at {step.unread}: nothing will be imported."
    return f"nothing lies at {step.unread}: the job will fail until something does."


def _task(task: TaskChange) -> dict[str, Any]:
    return {
        "action": task.action,
        "resource": "Task",
        "name": task.task,
        "path": task.path,
        "schedule": task.expression,
        "timeZone": task.zone,
        **({"changes": [asdict(one) for one in task.changes]} if task.changes else {}),
        **({"note": f"stays disabled: {task.disabled}"} if task.disabled else {}),
    }


_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "wait": (".", "cyan"),
    "keep": ("=", "dim"),
    "skip": ("=", "dim"),
    "leave": ("?", "yellow"),
    WARNED: ("!", "yellow"),
    "reject": ("!", "red"),
}
_WHY = {"stale": " (newer data, or old age)", "failed": " (the last one failed)"}


def print_plan(plan: Plan) -> None:
    """Print a plan to be read."""
    rows = list(plan.rows())
    for row in rows:
        sign, style = ("?", "yellow") if "held" in row else _SIGNS[row["action"]]
        say(f"{sign} {_line(row)}", style=style)
        for change in row.get("changes", ()):
            say(f"    {told_change(**change)}")
        for name, value in row.get("properties", {}).items():
            say(f"    {told_property(name, value)}")
        if "note" in row:
            say(f"    note: {row['note']}", style="yellow")
        if "message" in row:
            say(f"    {row['path']}: {row['message']}")
    found = Counter(row["action"] for row in rows)
    told = ", ".join(f"{found[name]} to {name}" for name in _SIGNS if found[name])
    say("")
    say(f"{told}.")


def _line(row: Mapping[str, Any]) -> str:
    named = f"{row['resource']} {row['name']}"
    if row["resource"] == "Task":
        return f"{named}: {row['schedule']} ({row['timeZone']})"
    if row["action"] in {"leave", "delete"}:
        return f"{named}: {row['why']}"
    if "owner" in row:
        return f"{named} (maintained by the stack {row['owner']})"
    if "held" in row:
        return f"{named} held: {row['held']}"
    return f"{named}{_WHY.get(row.get('why', ''), '')}"


def exit_code(plan: Plan) -> int:
    """Return 0 where there is nothing to do, 2 for changes and what is to be known, 1 for no."""
    if any(isinstance(step.action, Reject) for step in plan.steps):
        return PROBLEMS
    if any(isinstance(step.action, Create | Update | Wait) for step in plan.steps):
        return CHANGES
    return CHANGES if any(row["action"] not in {"keep", "skip"} for row in plan.rows()) else 0
