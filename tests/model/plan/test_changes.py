"""What an upload changes beside resources, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mpe.model.plan.changes import (
    TaskChange,
    age_changes,
    properties,
    task_changes,
    told_change,
    told_creation,
    told_property,
)
from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.reconcile import Change
from mpe.model.plan.tasks import Task

IMPORT = Task("import", "import", "$.import", "rate(1 day)", "UTC", {})


def row(task: Task) -> dict[str, str]:
    return {"record": task.id, "expression": task.expression, "zone": task.zone, "path": task.path}


def test_each_task_is_made_or_changed_or_kept_or_deleted() -> None:
    full, stop = (replace(IMPORT, id=id, path=f"$.{id}") for id in ("full.films", "stop.films"))
    moved = replace(full, expression="rate(2 days)", zone="Europe/Berlin")
    old = [replace(IMPORT, id=id) for id in ("b", "a")]
    rows = [*map(row, old), row(full), {**row(stop), "disabled": "user"}]
    wanted = {"import": IMPORT, full.id: moved, stop.id: stop}
    assert list(task_changes(rows, wanted)) == [
        TaskChange("create", "import", "rate(1 day)", "UTC", "$.import"),
        TaskChange(
            "update",
            "full.films",
            "rate(2 days)",
            "Europe/Berlin",
            "$.full.films",
            (
                Change("schedule", "rate(1 day)", "rate(2 days)"),
                Change("timeZone", "UTC", "Europe/Berlin"),
            ),
        ),
        TaskChange("keep", "stop.films", "rate(1 day)", "UTC", "$.stop.films", disabled="user"),
        TaskChange("delete", "a", "rate(1 day)", "UTC", "$.import"),
        TaskChange("delete", "b", "rate(1 day)", "UTC", "$.import"),
    ]


def aged(**ages: int | None) -> DesiredState:
    made = {
        id: Desired(id, "SolutionVersion", id, "$", {}, max_age=age) for id, age in ages.items()
    }
    return DesiredState("films", "one", made)


def test_an_age_that_is_another_than_before_is_told() -> None:
    new = aged(same=60, longer=120, none=None, first=60)
    assert list(age_changes(aged(same=60, longer=60, none=60), new)) == [
        ("longer", Change("maxAge", "60 seconds", "120 seconds")),
        ("none", Change("maxAge", "60 seconds", "none")),
    ]
    assert list(age_changes(None, new)) == []


def test_of_what_is_created_the_parameters_that_matter_are_told() -> None:
    params = {"name": "live", "minProvisionedTPS": 3, "solutionVersionArn": "one"}
    assert properties("Campaign", params) == {"minProvisionedTPS": 3}
    assert properties("Campaign", {"name": "live"}) == {"minProvisionedTPS": 1}, "by default"
    assert properties("EventTracker", {"name": "clicks"}) == {}
    solution = {"recipeArn": "best", "name": "films", "performAutoTraining": False}
    assert told_creation("Solution", solution) == 'recipeArn: "best", performAutoTraining: false'


def test_what_is_no_json_is_told_as_text() -> None:
    day = datetime(2027, 1, 1, tzinfo=UTC)
    assert told_property("since", day) == 'since: "2027-01-01 00:00:00+00:00"'
    assert told_change("since", None, day) == 'since: null -> "2027-01-01 00:00:00+00:00"'
