"""``mpe schedule``: the scheduled tasks of a stack, and what they will do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import click

from mpe.aws.schedules import Schedules
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Turns
from mpe.cli import known
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.cli.runs import refuse_unknown
from mpe.cli.terminal import answer, json_of, say
from mpe.model.messages import spoken_task
from mpe.model.plan.tasks import BY_USER, schedule_name
from mpe.model.service.schedules import Rate, parse, per_month, zone

TRAININGS = frozenset({"full", "update"})
MOST_FIRES = 1000
"""How many fires of one task a calendar shows."""
GROUP = click.argument("group")
TASK = click.argument("task")
SOME_GROUP = click.argument("group", required=False)


@click.group()
def schedule() -> None:
    """List, show, run, enable and disable scheduled tasks.

    Example: mpe schedule next --days 14
    """


@schedule.command("list")
@SOME_GROUP
@in_account
@OUTPUT
def list_(group: str | None, account: Account, output: str) -> None:
    """List the tasks of a dataset group, or of all.

    Example: mpe schedule list movielens
    """
    columns = {
        "group": "GROUP",
        "task": "TASK",
        "expression": "SCHEDULE",
        "zone": "TIME ZONE",
        "next": "NEXT",
        "status": "LAST RUN",
        "ended": "AT",
        "disabled": "DISABLED BY",
    }
    tasks = _tasks(account, group)
    for name in {row["group"] for row in tasks}:
        known.note(
            account.stack, name, task=[row["record"] for row in tasks if row["group"] == name]
        )
    show((_row(account, one) for one in tasks), output, columns)


@schedule.command("show")
@GROUP
@TASK
@in_account
@OUTPUT
def show_(group: str, task: str, account: Account, output: str) -> None:
    """Show all that is known of a task.

    Example: mpe schedule show movielens import
    """
    row = _found(account, group, task)
    told = {**row, **_row(account, row)}
    if output == "json":
        answer(told)
        return
    for name, value in told.items():
        say(f"{name}: {value if isinstance(value, str) else json_of(value)}")


@schedule.command()
@GROUP
@TASK
@in_account
@OUTPUT
def enable(group: str, task: str, account: Account, output: str) -> None:
    """Let a task fire again.

    Example: mpe schedule enable movielens import
    """
    _enable(account, group, task, enabled=True, output=output)


@schedule.command()
@GROUP
@TASK
@in_account
@OUTPUT
def disable(group: str, task: str, account: Account, output: str) -> None:
    """Let a task fire no more; it stays so when the config is uploaded again.

    Example: mpe schedule disable movielens import
    """
    _enable(account, group, task, enabled=False, output=output)


@schedule.command()
@GROUP
@TASK
@in_account
@OUTPUT
def run(group: str, task: str, account: Account, output: str) -> None:
    """Run a task now, as if its schedule had fired.

    Example: mpe schedule run movielens full.movielens-for-you
    """
    _found(account, group, task)
    given = json.dumps({"group": group, "task": task})
    started = account.client("stepfunctions").start_execution(
        stateMachineArn=account.output("TaskWorkflow"), input=given
    )
    say(f"Started the {spoken_task(task)}: {started['executionArn']}")
    if output == "json":
        answer({"group": group, "task": task, "execution": started["executionArn"]})


@schedule.command("next")
@SOME_GROUP
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, 366),
    help="How many days ahead.",
)
@in_account
@OUTPUT
def next_(group: str | None, days: int, account: Account, output: str) -> None:
    """Show the calendar of coming fires, what collides, and the trainings per month.

    Tasks of one dataset group that fire in the same minute run one after the other.
    Example: mpe schedule next movielens --days 14
    """
    rows = [row for row in _tasks(account, group) if "disabled" not in row]
    now = datetime.now(UTC)
    fires = sorted(
        (fire for row in rows for fire in _fires(account, row, now, now + timedelta(days=days))),
        key=lambda fire: (fire.at, fire.group, fire.task),
    )
    same = Counter((fire.group, fire.at) for fire in fires)
    calendar = [
        {
            "at": fire.at,
            "group": fire.group,
            "task": fire.task,
            "collides": "one after the other" if same[fire.group, fire.at] > 1 else None,
        }
        for fire in fires
    ]
    trainings = _trainings(rows)
    if output == "json":
        answer({"fires": calendar, "trainings_per_month": trainings})
        return
    columns = {"at": "AT", "group": "GROUP", "task": "TASK", "collides": "COLLIDES"}
    show(calendar, output, columns)
    for solution, count in trainings.items():
        often = f"about {count}" if count else "less than one"
        say(f"Trainings of {solution}: {often} a month, each billed.")


@dataclass(frozen=True)
class Fire:
    """One coming fire of a task."""

    at: datetime
    group: str
    task: str


def _tasks(account: Account, group: str | None) -> list[dict[str, Any]]:
    tasks = Tasks(account.table("TasksTable"))
    found = list(tasks.of(group) if group else tasks.all())
    if group and not found:
        refuse_unknown(Turns(account.table("TurnsTable")), group)
    return sorted(found, key=lambda row: (row["group"], row["record"]))


def _found(account: Account, group: str, task: str) -> dict[str, Any]:
    """Return a task's row, or tell which tasks there are."""
    row = Tasks(account.table("TasksTable")).get(group, task)
    if row is None:
        there = ", ".join(one["record"] for one in _tasks(account, group)) or "none"
        raise click.ClickException(f"{group} has no task {task!r}. Its tasks: {there}.")
    return row


def _row(account: Account, row: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    fires = _fires(account, row, now, datetime.max.replace(tzinfo=UTC))
    coming = None if "disabled" in row else next(fires, None)
    last = row.get("last", {})
    ended = last.get("ended", last.get("started"))
    return {
        "group": row["group"],
        "task": row["record"],
        "expression": row["expression"],
        "zone": row["zone"],
        "next": coming.at if coming else None,
        "status": last.get("status"),
        "ended": datetime.fromisoformat(ended) if ended else None,
        "disabled": row.get("disabled"),
    }


def _fires(
    account: Account, row: Mapping[str, Any], start: datetime, end: datetime
) -> Iterator[Fire]:
    """Yield the coming fires of a task; those of a rate count from its schedule's start date."""
    schedule = parse(row["expression"])
    after = start
    if isinstance(schedule, Rate):
        first = _schedules(account).first(schedule_name(row["group"], row["record"]))
        if first is None:  # somebody has removed it by hand
            return
        after = first - schedule.every
        after += max((start - after) // schedule.every, 0) * schedule.every
    coming = schedule.fires(after, zone(row["zone"]))
    for count, moment in enumerate(takewhile(lambda moment: moment <= end, coming)):
        if count == MOST_FIRES:
            return
        yield Fire(moment.replace(second=0, microsecond=0), row["group"], row["record"])


def _trainings(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return about how often the schedules train each solution in a month."""
    found: Counter[str] = Counter()
    for row in rows:
        if row["kind"] in TRAININGS:
            found[row["record"].partition(".")[2]] += per_month(parse(row["expression"]))
    return dict(sorted(found.items()))


def _enable(account: Account, group: str, task: str, *, enabled: bool, output: str) -> None:
    _found(account, group, task)
    tasks = Tasks(account.table("TasksTable"))
    if enabled:  # the row first, as mpe.handlers.schedule expects
        tasks.enable(group, task)
    else:
        tasks.set(group, task, disabled=BY_USER)
    _schedules(account).enable(schedule_name(group, task), enabled=enabled)
    say(f"The {spoken_task(task)} of {group} is {'enabled' if enabled else 'disabled'}.")
    if output == "json":
        answer({"group": group, "task": task, "enabled": enabled})


def _schedules(account: Account) -> Schedules:
    return Schedules(account.client("scheduler"), account.output("ScheduleGroup"))
