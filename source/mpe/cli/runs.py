"""``mpe runs`` and ``mpe status``: what was done, and how things are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import click

from mpe.aws.objects import Objects, state_of
from mpe.aws.personalize import Personalize
from mpe.aws.survey import Step, survey
from mpe.aws.turns import Turns
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.model.gate.versions import Version, in_short
from mpe.model.messages import spoken, spoken_task
from mpe.model.plan.reconcile import Create, Reject, Update

GROUP = click.argument("group", required=False)


@click.command()
@GROUP
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1),
    help="How many of each dataset group.",
)
@in_account
@OUTPUT
def runs(group: str | None, limit: int, account: Account, output: str) -> None:
    """List the runs of a dataset group, or of all, the newest first.

    Example: mpe runs movielens
    """
    turns = Turns(account.table("TurnsTable"))
    if group:
        refuse_unknown(turns, group)
    groups = [group] if group else sorted(row["group"] for row in turns.newest())
    columns = {
        "group": "GROUP",
        "run": "RUN",
        "what": "WHAT",
        "status": "STATUS",
        "took": "TOOK",
        "changed": "CHANGED",
        "kept": "KEPT",
        "failed": "FAILED",
        "quality": "NEW MODELS",
    }
    found = (_run(row) for name in groups for row in islice(turns.runs(name), limit))
    show(found, output, columns)


@click.command()
@GROUP
@in_account
@OUTPUT
def status(group: str | None, account: Account, output: str) -> None:
    """Show every dataset group and its last run, or each resource of one group.

    Example: mpe status movielens
    """
    turns = Turns(account.table("TurnsTable"))
    newest = {row["group"]: row for row in turns.newest()}
    if group is None:
        rows = (_group(turns, name) for name in sorted(newest))
        show(rows, output, {"group": "GROUP", "last": "LAST RUN", "status": "STATUS"})
        return
    if group not in newest:
        raise _unknown(group, newest)
    columns = {
        "noun": "RESOURCE",
        "name": "NAME",
        "status": "STATUS",
        "model": "MODEL",
        "differs": "DIFFERS",
    }
    show(_resources(account, group, newest[group]["run"]), output, columns)


def refuse_unknown(turns: Turns, group: str) -> None:
    """Refuse a group that has neither a config nor a run; one that was removed has its runs."""
    if next(turns.runs(group), None) is None:
        newest = {row["group"] for row in turns.newest()}
        if group not in newest:
            raise _unknown(group, newest)


def _unknown(group: str, known: Iterable[str]) -> click.ClickException:
    told = ", ".join(sorted(known)) or "none"
    return click.ClickException(f"there is no config of {group!r}. Dataset groups: {told}.")


def _run(row: Mapping[str, Any]) -> dict[str, Any]:
    took = row.get("duration")
    return {
        **{key: value for key, value in row.items() if key != "record"},
        "what": spoken_task(row["task"]) if "task" in row else "config",
        "took": spoken(float(took)) if took is not None else None,
        "quality": "; ".join(_model(one) for one in row.get("models", ())),
    }


def _model(told: Mapping[str, Any]) -> str:
    """Say how good a model is beside what the first of its campaigns served before."""
    before = next((one["Metrics"] for one in told["Live"]), None)
    return f"{told['Solution']} {in_short(told['Metrics'], before)}".rstrip()


def _group(turns: Turns, group: str) -> dict[str, Any]:
    last = next(turns.runs(group), {})
    return {"group": group, "last": last.get("run"), "status": last.get("status")}


def _resources(account: Account, group: str, run: str) -> Iterator[dict[str, Any]]:
    """Yield each resource of the newest config: its status, and how it differs."""
    objects = Objects(account.client("s3"))
    state = objects.load_state(state_of(account.output("DataBucket"), group, run))
    personalize = Personalize(account.client("personalize"))
    for step in survey(state, personalize, objects, account.ledger, account.clock):
        match step.action:
            case Create(why):
                differs: str | None = {"absent": "is not there"}.get(why, f"is {why}")
            case Update(_, changes):
                differs = ", ".join(change.field for change in changes)
            case Reject(_, message):
                differs = message
            case _:
                differs = None
        yield {
            "noun": step.desired.noun,
            "name": step.desired.name,
            "status": step.observed.shown if step.observed else None,
            "arn": step.observed.arn if step.observed else None,
            "model": _quality(account, group, step),
            "differs": differs,
        }


def _quality(account: Account, group: str, step: Step) -> str | None:
    """Say which version something is or serves, and how good it is, where that is known."""
    if step.observed is None or step.desired.noun not in {"SolutionVersion", "Campaign"}:
        return None
    serves = step.desired.noun == "Campaign"
    arn = step.observed.fields.get("solutionVersionArn") if serves else step.observed.arn
    if not arn:
        return None
    version = account.ledger.weighed(group, str(arn)) or Version(str(arn))
    return f"{version.id} {in_short(version.metrics)}".rstrip()
