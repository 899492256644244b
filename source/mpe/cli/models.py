"""``mpe models``: the versions of each solution, how good they are, and where they are live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click

from mpe.aws.ledger import Ledger
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
    "thought": "VERDICT",
    "on": "LIVE ON",
}
WORSE = ("pass", "inconclusive", "hold")
"""The words of a gate, of which a version's worst is told."""


@click.command()
@click.argument("group")
@click.argument("solution", required=False)
@in_account
@OUTPUT
def models(group: str, solution: str | None, account: Account, output: str) -> None:
    """List the versions of a dataset group's solutions, the newest first.

    Each with its metrics, what its gate and people thought of it, and the campaigns that serve it;
    JSON has all metrics and reasons.
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
    show(_rows(found, group, account.ledger), output, COLUMNS)


def _rows(found: Iterable[Model], group: str, ledger: Ledger) -> Iterator[dict[str, Any]]:
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
            **_thought(group, ledger, version.arn),
        }


def _thought(group: str, ledger: Ledger, version: str) -> dict[str, Any]:
    """Return what the gate said of a version for each campaign, and a person's last word."""
    verdicts = [
        {
            "campaign": row["campaign"].rpartition(".")[2],
            **{key: row[key] for key in ("word", "mode", "reasons", "notes", "at")},
        }
        for row in ledger.verdicts(group, version)
    ]
    row = ledger.decision(group, version)
    decision = row and {key: row[key] for key in ("word", "by", "why", "at")}
    worst = max((one["word"] for one in verdicts), key=WORSE.index, default=None)
    said = f"{decision['word']} by {decision['by']}" if decision else worst
    return {"verdicts": verdicts, "decision": decision, "thought": said}


def _live_beside(other: Model, one: Model) -> bool:
    same = other.version.solution == one.version.solution
    return bool(other.live) and same and other is not one and not one.live
