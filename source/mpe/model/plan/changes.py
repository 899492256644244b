"""What an upload changes beside resources: scheduled tasks, and ages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpe.model.plan.desired import DesiredState
from mpe.model.plan.reconcile import Change
from mpe.model.plan.tasks import Task

CREATED = {
    "DatasetGroup": ("domain", "kmsKeyArn"),
    "Dataset": ("datasetType",),
    "Filter": ("filterExpression",),
    "Solution": ("recipeArn", "performAutoTraining"),
    "Campaign": ("minProvisionedTPS",),
    "Recommender": ("recipeArn", "recommenderConfig"),
}
"""The parameters that are told of what is created, by type."""


@dataclass(frozen=True)
class TaskChange:
    """A scheduled task, and what becomes of it: ``create``, ``update``, ``keep``, ``delete``."""

    action: str
    task: str
    expression: str
    zone: str
    path: str = ""
    changes: tuple[Change, ...] = ()
    disabled: str = ""
    """Who or what disabled it, where it is."""


def task_changes(
    known: Iterable[Mapping[str, Any]], wanted: Mapping[str, Task]
) -> Iterator[TaskChange]:
    """Compare the rows of a group's tasks with those that a config wants."""
    rows = {row["record"]: row for row in known}
    for id, task in wanted.items():
        row = rows.pop(id, None)
        if row is None:
            yield TaskChange("create", id, task.expression, task.zone, task.path)
            continue
        now = {"schedule": task.expression, "timeZone": task.zone}
        was = {"schedule": row["expression"], "timeZone": row["zone"]}
        changes = tuple(Change(key, was[key], now[key]) for key in now if was[key] != now[key])
        action = "update" if changes else "keep"
        disabled = str(row.get("disabled", ""))
        yield TaskChange(action, id, task.expression, task.zone, task.path, changes, disabled)
    for id, row in sorted(rows.items()):
        yield TaskChange("delete", id, row["expression"], row["zone"], row.get("path", ""))


def age_changes(old: DesiredState | None, new: DesiredState) -> Iterator[tuple[str, Change]]:
    """Yield the ages that differ from those of the config before, each with its resource's id."""
    for id, desired in new.resources.items():
        before = old.resources.get(id) if old else None
        if before and before.max_age != desired.max_age:
            yield id, Change("maxAge", _age(before.max_age), _age(desired.max_age))


def _age(seconds: int | None) -> str:
    return "none" if seconds is None else f"{seconds} seconds"


def properties(noun: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a resource that is to be created."""
    told = {name: params[name] for name in CREATED.get(noun, ()) if name in params}
    if noun == "Campaign":
        told.setdefault("minProvisionedTPS", 1)
    return told


def told_property(name: str, value: Any) -> str:
    """Say a property of what is created, as plans and mails do."""
    return f"{name}: {json.dumps(value, default=str)}"


def told_change(field: str, old: Any, new: Any) -> str:
    """Say a change of a field, as plans and mails do."""
    return f"{told_property(field, old)} -> {json.dumps(new, default=str)}"


def told_creation(noun: str, params: Mapping[str, Any]) -> str:
    """Say what a resource was created with."""
    return ", ".join(told_property(*one) for one in properties(noun, params).items())
