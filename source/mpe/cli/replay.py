"""``mpe gate replay``: what a gate would have decided on the versions that there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mpe.aws.models import Models
from mpe.aws.personalize import Missing, Personalize
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.cli.gate import newest_state
from mpe.cli.validate import FILE, accepted
from mpe.model.gate.replay import Replayed, replay
from mpe.model.gate.terms import Gate
from mpe.model.gate.versions import Version, in_short, said
from mpe.model.plan.desired import Desired, DesiredState, desired_state
from mpe.model.service.spec import ACTIVE

COLUMNS = {
    "solution": "SOLUTION",
    "version": "VERSION",
    "trained": "TRAINED",
    "quality": "METRIC (AGAINST THE LIVE ONE)",
    "verdict": "VERDICT",
    "told": "WHY",
}


@click.group()
def gate() -> None:
    """Look at what new versions are judged by."""


@gate.command("replay")
@click.argument("group")
@click.argument("file", type=FILE, required=False)
@in_account
@OUTPUT
def replayed(group: str, file: Path | None, account: Account, output: str) -> None:
    """Tell what a gate would have decided on the versions that there are; nothing is changed.

    The gate is that of a config, or of the newest one that was uploaded. Each version is compared
    with the newest before it that would have been served.
    Example: mpe gate replay movielens config.json
    """
    state = _state(group, file, account)
    arn = account.place().arn(f"dataset-group/{group}")
    read = Models(Personalize(account.client("personalize")), account.ledger)
    try:
        found = [one.version for one in read.of(group, arn) if one.status == ACTIVE]
    except Missing as error:
        raise click.ClickException(f"there is no dataset group {group!r}: {error}") from error
    show(_rows(state, found), output, COLUMNS)


def _state(group: str, file: Path | None, account: Account) -> DesiredState:
    if file is not None:
        config = accepted(file)
        own = config.group.params["name"]
        if own != group:
            raise click.ClickException(f"{file} is the config of {own!r}, not of {group!r}.")
        return desired_state(config, account.place(), version="replay")
    return newest_state(account, group)


def _rows(state: DesiredState, found: list[Version]) -> Iterator[dict[str, Any]]:
    for desired in state.resources.values():
        if desired.noun == "SolutionVersion":
            yield from map(_row, _replayed(desired, found))


def _replayed(desired: Desired, found: list[Version]) -> Iterator[Replayed]:
    terms = Gate.of(desired.gate)
    return replay(
        terms,
        [one for one in found if one.solution == desired.name],
        [one for one in found if one.solution == terms.baseline],
    )


def _row(one: Replayed) -> dict[str, Any]:
    reasons = said(one.verdict.as_dict())
    return {
        "solution": one.version.solution,
        "version": one.version.id,
        "trained": one.version.created[:16] if one.version.created else None,
        "quality": in_short(one.version.metrics, one.live.metrics if one.live else None),
        "verdict": one.verdict.word,
        "served": one.served,
        "live": one.live.id if one.live else None,
        "reasons": reasons,
        "notes": list(one.verdict.notes),
        "told": " ".join(reasons or one.verdict.notes),
    }
