"""``mpe runs``: what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import click

from mpe.aws.turns import Turns
from mpe.cli import known
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.cli.outcomes import print_run, told_run
from mpe.cli.terminal import Listing, answer, say
from mpe.model.gate.versions import in_short
from mpe.model.messages import spoken, spoken_task
from mpe.model.plan.forms import MARK

GROUP = click.argument("group", required=False)


@click.group(cls=Listing)
def runs() -> None:
    """List the runs of a dataset group, or of all, or show one.

    Example: mpe runs movielens
    """


@runs.command("list")
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
def list_(group: str | None, limit: int, account: Account, output: str) -> None:
    """List the runs of a dataset group, or of all, the newest first.

    `mpe runs` and `mpe runs GROUP` do the same. Example: mpe runs list movielens
    """
    turns = account.turns
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
    found = [_run(row) for name in groups for row in islice(turns.runs(name), limit)]
    for name in groups:
        names = [row["run"] for row in found if row["group"] == name]
        known.note(account.stack, name, run=names)
    show(found, output, columns)


@runs.command("show")
@click.argument("run")
@in_account
@OUTPUT
def show_(run: str, account: Account, output: str) -> None:
    """Show what a run did to each resource: durations, reasons and remedies.

    Example: mpe runs show 20260801T120000-0123abcd
    """
    found = account.turns.find(run)
    if found is None:
        raise click.ClickException(f"there is no run {run!r}. `mpe runs` lists them.")
    told = told_run(account, found[0], run)
    if output == "json":
        answer(told)
        return
    began = f", begun {told['started']}" if told["started"] else ""
    say(f"Run {run} of {told['group']}: {told['what']}{began}")
    print_run(told)
    say(f"Its log: mpe logs {run}")


def refuse_unknown(turns: Turns, group: str) -> None:
    """Refuse a group that has neither a config nor a run; one that was removed has its runs."""
    if next(turns.runs(group), None) is None:
        newest = {row["group"] for row in turns.newest()}
        if group not in newest:
            raise unknown(group, newest)


def unknown(group: str, known: Iterable[str]) -> click.ClickException:
    told = ", ".join(sorted(known)) or "none"
    return click.ClickException(f"there is no config of {group!r}. Dataset groups: {told}.")


def _run(row: Mapping[str, Any]) -> dict[str, Any]:
    took = row.get("duration")
    return {
        **{key: value for key, value in row.items() if key not in {"record", MARK}},
        "what": spoken_task(row["task"]) if "task" in row else "config",
        "took": spoken(float(took)) if took is not None else None,
        "quality": "; ".join(_model(one) for one in row.get("models", ())),
    }


def _model(told: Mapping[str, Any]) -> str:
    """Say how good a model is beside what the first of its campaigns served before."""
    before = next((one["Metrics"] for one in told["Live"]), None)
    return f"{told['Solution']} {in_short(told['Metrics'], before)}".rstrip()
