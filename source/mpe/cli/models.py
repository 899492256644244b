"""``mpe models``: the versions of each solution, how good they are, and where they are live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click

from mpe.aws.models import Model, Models
from mpe.aws.personalize import Missing, Personalize
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.model.gate.versions import in_short

COLUMNS = {
    "solution": "SOLUTION",
    "version": "VERSION",
    "trained": "TRAINED",
    "mode": "MODE",
    "hours": "HOURS",
    "status": "STATUS",
    "quality": "METRIC (AGAINST THE LIVE ONE)",
    "on": "LIVE ON",
}


@click.command()
@click.argument("group")
@click.argument("solution", required=False)
@in_account
@OUTPUT
def models(group: str, solution: str | None, account: Account, output: str) -> None:
    """List the versions of a dataset group's solutions, the newest first.

    Each with its metrics and with the campaigns that serve it; JSON has all metrics.
    Example: mpe models movielens films
    """
    read = Models(Personalize(account.client("personalize")), account.ledger)
    arn = account.place().arn(f"dataset-group/{group}")
    try:
        found = list(read.of(group, arn, solution))
    except Missing as error:
        raise click.ClickException(f"there is no dataset group {group!r}: {error}") from error
    if solution and not found:
        told = f"{group} has no solution {solution!r} with a version."
        raise click.ClickException(f"{told} See `mpe models {group}`.")
    show(_rows(found), output, COLUMNS)


def _rows(found: Iterable[Model]) -> Iterator[dict[str, Any]]:
    """Yield each version, its metric with the change against the live one of its solution."""
    found = list(found)
    for one in found:
        version = one.version
        live = next((other.version for other in found if _live_beside(other, one)), None)
        yield {
            **asdict(version),
            "solution": version.solution,
            "version": version.id,
            "trained": version.created[:16] if version.created else None,
            "status": one.status,
            "quality": in_short(version.metrics, live.metrics if live else None),
            "live": list(one.live),
            "on": ", ".join(one.live),
        }


def _live_beside(other: Model, one: Model) -> bool:
    same = other.version.solution == one.version.solution
    return bool(other.live) and same and other is not one and not one.live
