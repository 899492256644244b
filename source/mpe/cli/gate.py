"""``mpe approve``, ``reject``, ``rollback``, ``freeze`` and ``unfreeze``: a person's decisions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import click

from mpe.aws.decisions import DecisionRefused, Decisions
from mpe.aws.events import Events
from mpe.aws.executions import Executions
from mpe.aws.objects import Objects, state_of
from mpe.aws.personalize import Personalize
from mpe.aws.turns import Claim, Turns
from mpe.cli.account import OUTPUT, Account, in_account
from mpe.cli.terminal import answer, say
from mpe.model.config.sections import KINDS
from mpe.model.plan.desired import DesiredState

LEASE = timedelta(hours=1)
"""How long a decision that is interrupted keeps runs out, at the most."""
MODEL_DECIDED = "Personalize Model Decided"
WHY = click.option("--why", required=True, help="The reason, which is kept with the decision.")


@click.command()
@click.argument("group")
@click.argument("solution")
@click.argument("version", required=False)
@WHY
@in_account
@OUTPUT
def approve(
    group: str, solution: str, version: str | None, why: str, account: Account, output: str
) -> None:
    """Let the newest version of a solution be served, and move its campaigns to it.

    Example: mpe approve movielens films 1a2b3c4d --why "checked by hand"
    """
    told = _decide(account, group, why, "approve", lambda one: one.approve(solution, version))
    _answer(told, output)


@click.command()
@click.argument("group")
@click.argument("solution")
@click.argument("version", required=False)
@WHY
@in_account
@OUTPUT
def reject(
    group: str, solution: str, version: str | None, why: str, account: Account, output: str
) -> None:
    """Never let the newest version of a solution be served.

    Example: mpe reject movielens films 1a2b3c4d --why "lists are all alike"
    """
    told = _decide(account, group, why, "reject", lambda one: one.reject(solution, version))
    _answer(told, output)


@click.command()
@click.argument("group")
@click.argument("dataset", type=click.Choice(KINDS))
@WHY
@in_account
@OUTPUT
def accept(group: str, dataset: str, why: str, account: Account, output: str) -> None:
    """Let data be imported that the gate has held; other data is judged anew.

    The next run imports it. Example: mpe accept movielens interactions --why "a new market"
    """
    held = account.ledger.data_verdict(group, f"import.{dataset}")
    if held is None or held["word"] != "hold":
        told = f"no data of {group}'s {dataset} is held. See `mpe runs {group}`."
        raise click.ClickException(f"{told} Nothing was changed.")
    by, now = account.client("sts").get_caller_identity()["Arn"], account.clock.now()
    row = {"data": held["data"], "by": by, "why": why, "at": now.isoformat(timespec="seconds")}
    if not account.ledger.accept(group, f"import.{dataset}", row):
        known = account.ledger.accepted(group, f"import.{dataset}") or {}
        told = f"this data was let in by {known.get('by')}: {known.get('why')}"
        raise click.ClickException(f"{told} Nothing was changed.")
    verdict = {key: one for key, one in held.items() if key not in {"group", "record"}}
    more = {"word": "accept", "about": dataset, "verdict": verdict}
    account.ledger.note_decision(group, {**row, **more})
    did = f"let in {dataset} of {held['data']}: upload the config again, or run the import"
    say(did)
    detail = {"DatasetGroup": group, "Decision": "accept", "By": by, "Why": why, "Did": [did]}
    Events(account.client("events"), account.output("EventBus")).put(MODEL_DECIDED, detail)
    _answer(detail, output)


@click.command()
@click.argument("group")
@click.argument("campaign")
@click.option("--to", "version", help="The version; without it the one served before.")
@WHY
@in_account
@OUTPUT
def rollback(
    group: str, campaign: str, version: str | None, why: str, account: Account, output: str
) -> None:
    """Return a campaign to the version that it served before.

    No run brings back the one that it leaves. Example: mpe rollback movielens films-live --why slow
    """
    told = _decide(account, group, why, "rollback", lambda one: one.rollback(campaign, version))
    _answer(told, output)


@click.command()
@click.argument("group")
@click.argument("campaign")
@WHY
@in_account
@OUTPUT
def freeze(group: str, campaign: str, why: str, account: Account, output: str) -> None:
    """Keep a campaign at its version, whatever is trained.

    Example: mpe freeze movielens films-live --why "the sale"
    """
    told = _decide(account, group, why, "freeze", lambda one: one.freeze(campaign))
    _answer(told, output)


@click.command()
@click.argument("group")
@click.argument("campaign")
@WHY
@in_account
@OUTPUT
def unfreeze(group: str, campaign: str, why: str, account: Account, output: str) -> None:
    """Let runs move a campaign again.

    Example: mpe unfreeze movielens films-live --why "the sale is over"
    """
    told = _decide(account, group, why, "unfreeze", lambda one: one.unfreeze(campaign))
    _answer(told, output)


def newest_state(account: Account, group: str) -> DesiredState:
    """Return what the newest config of a dataset group asks for, or refuse a group without one."""
    run = account.turns.newest_run(group)
    if run is None:
        raise click.ClickException(f"there is no config of {group!r}. See `mpe status`.")
    pointer = state_of(account.output("DataBucket"), group, run)
    return Objects(account.client("s3")).load_state(pointer)


def _decide(
    account: Account,
    group: str,
    why: str,
    word: str,
    decision: Callable[[Decisions], Iterator[str]],
) -> dict[str, Any]:
    """Decide in a turn of one's own, so that no run moves a campaign at the same time."""
    turns, state = account.turns, newest_state(account, group)
    by = account.client("sts").get_caller_identity()["Arn"]
    claim = Claim(group, word, f"{word}:{group}:{by}", "")
    take_turn(account, turns, claim)
    try:
        personalize = Personalize(account.client("personalize"))
        decisions = Decisions(state, personalize, account.ledger, by, why, account.clock.now())
        told: list[str] = []
        for line in decision(decisions):
            say(line)
            told.append(line)
    except DecisionRefused as error:
        raise click.ClickException(f"{error} Nothing was changed.") from error
    finally:
        turns.give_back(group, claim.execution)
    detail = {"DatasetGroup": group, "Decision": word, "By": by, "Why": why, "Did": told}
    Events(account.client("events"), account.output("EventBus")).put(MODEL_DECIDED, detail)
    return detail


def take_turn(account: Account, turns: Turns, claim: Claim) -> None:
    """Take a group's turn, and say whose end is waited for."""
    executions = Executions(account.client("stepfunctions"))
    told = False
    while holder := turns.take_turn(claim, executions, account.clock.now(), LEASE):
        if not told:
            say(f"waiting for the end of what works on {claim.group}: {holder}")
        told = True
        time.sleep(account.looks_every)


def _answer(detail: Mapping[str, Any], output: str) -> None:
    if output == "json":
        answer(
            {
                "group": detail["DatasetGroup"],
                "decision": detail["Decision"],
                "by": detail["By"],
                "why": detail["Why"],
                "did": detail["Did"],
            }
        )
