"""``mpe models``: the versions of each solution, how good they are, and where they are live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import click

from mpe.aws.ledger import Ledger
from mpe.aws.models import Model, Models
from mpe.aws.personalize import Missing, Personalize
from mpe.cli.account import OUTPUT, Account, in_account, show
from mpe.cli.terminal import Listing, answer, say
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.states import state_of
from mpe.model.gate.verdict import tolerance
from mpe.model.gate.versions import (
    Version,
    headline,
    in_short,
    said,
    share_of_change,
    spoken_change,
)
from mpe.model.service.spec import SPECS

COLUMNS = {
    "solution": "SOLUTION",
    "version": "VERSION",
    "trained": "TRAINED",
    "rows": "ROWS",
    "users": "USERS",
    "mode": "MODE",
    "hours": "HOURS",
    "status": "STATUS",
    "quality": "METRIC (AGAINST THE LIVE ONE)",
    "thought": "VERDICT",
    "state": "STATE",
    "on": "LIVE ON",
    "since": "SINCE",
}
COMPARED = {
    "metric": "METRIC",
    "first": "FIRST",
    "second": "SECOND",
    "told": "CHANGE",
    "noise": "NOISE",
}
UNHELD = "a recommender: served as the service trains it, and never held"
WORSE = ("pass", "inconclusive", "hold")
"""The words of a gate, of which a version's worst is told."""


@click.group(cls=Listing)
def models() -> None:
    """List the versions of a dataset group's solutions, show one, or compare two.

    Example: mpe models movielens films
    """


@models.command("list")
@click.argument("group")
@click.argument("solution", required=False)
@in_account
@OUTPUT
def list_(group: str, solution: str | None, account: Account, output: str) -> None:
    """List the versions of a dataset group's solutions, the newest first.

    Each with its metrics, the rows and users of its data, what its gate and people thought of it,
    what became of it, and the campaigns that serve it; JSON has all metrics and reasons. A
    recommender has no versions: its line is of the model that it serves.
    `mpe models GROUP` does the same. Example: mpe models list movielens films
    """
    recommenders = list(_recommenders(group, solution, account))
    found = [] if recommenders and solution else _found(group, solution, account)
    rows = (told for _, told in _rows(found, group, account.ledger))
    show((*rows, *recommenders), output, COLUMNS)


@models.command("show")
@click.argument("group")
@click.argument("solution")
@click.argument("version", required=False)
@in_account
@OUTPUT
def show_(group: str, solution: str, version: str | None, account: Account, output: str) -> None:
    """Show all that is known of a version, or of the newest one.

    The beginning of its id will do. Example: mpe models show movielens films 1a2b
    """
    found = _found(group, solution, account)
    chosen = _chosen(found, version, solution)
    (told,) = (row for one, row in _rows(found, group, account.ledger) if one is chosen)
    if output == "json":
        answer(told)
        return
    for line in _whole(told):
        say(line)


@models.command("diff")
@click.argument("group")
@click.argument("solution")
@click.argument("first")
@click.argument("second", required=False)
@in_account
@OUTPUT
def diff(
    group: str, solution: str, first: str, second: str | None, account: Account, output: str
) -> None:
    """Compare a version with another, or with the newest: each metric, and what is noise in it.

    Versions are trained on different data, of which the guide warns.
    Example: mpe models diff movielens films 1a2b 3c4d
    """
    found = _found(group, solution, account)
    one, other = (_chosen(found, id, solution).version for id in (first, second))
    history = sorted((each.version for each in found), key=lambda each: each.created or "")
    compared = list(_compared(one, other, history))
    if output == "json":
        answer({"first": asdict(one), "second": asdict(other), "metrics": compared})
        return
    for name, version in (("FIRST", one), ("SECOND", other)):
        say(f"{name}: {version.solution}/{version.id}, {_making(version)}")
    if one.setup and other.setup and one.setup != other.setup:
        say("They were trained with other settings, so that their metrics tell little.")
    show(compared, output, COMPARED)


def _recommenders(group: str, name: str | None, account: Account) -> Iterator[dict[str, Any]]:
    """Yield what is known of a group's recommenders, which have no versions to be held."""
    spec, personalize = SPECS["Recommender"], Personalize(account.client("personalize"))
    arn = account.place().arn(f"dataset-group/{group}")
    for one in personalize.listed(spec, {"datasetGroupArn": arn}):
        if name not in {None, one["name"]}:
            continue
        row = account.ledger.measured(group, one["name"]) or {}
        history = row.get("history") or [{}]
        former = history[-2] if len(history) > 1 else None
        yield {
            "solution": one["name"],
            "trained": str(row.get("at", ""))[:16] or None,
            "status": one["status"],
            "metrics": row.get("metrics", {}),
            "quality": in_short(row.get("metrics", {}), former),
            "thought": row.get("word"),
            "reasons": said(row) if row else [],
            "state": UNHELD,
            "on": one["name"],
        }


def _found(group: str, solution: str | None, account: Account) -> list[Model]:
    read = Models(Personalize(account.client("personalize")), account.ledger)
    arn = account.place().arn(f"dataset-group/{group}")
    try:
        found = list(read.of(group, arn, solution))
    except Missing as error:
        raise click.ClickException(f"there is no dataset group {group!r}: {error}") from error
    if solution and not found:
        told = f"{group} has no solution {solution!r} with a version."
        raise click.ClickException(f"{told} See `mpe models {group}`.")
    return found


def _chosen(found: Sequence[Model], id: str | None, solution: str) -> Model:
    """Return the version whose id begins so, or the newest where nobody says which."""
    like = [one for one in found if id is None or one.version.id.startswith(id)]
    exact = [one for one in like if one.version.id == id]
    if not like or (id is not None and len(like) > 1 and not exact):
        told = ", ".join(one.version.id for one in (like or found))
        many = "several versions begin with" if like else "there is no version"
        raise click.ClickException(f"{many} {id!r}. Versions of {solution}: {told}.")
    return (exact or like)[0]


def _compared(one: Version, other: Version, history: Sequence[Version]) -> Iterator[dict[str, Any]]:
    for name in sorted({*one.metrics, *other.metrics}):
        first, second = one.metrics.get(name), other.metrics.get(name)
        moved = share_of_change(second, first) if second is not None else None
        noise = tolerance(name, history, other.tested)
        yield {
            "metric": name,
            "first": first,
            "second": second,
            "change": moved,
            "tolerance": noise,
            "told": spoken_change(moved),
            "noise": "not known" if noise is None else f"±{noise:.1%}".replace("%", " %"),
        }


def _making(version: Version) -> str:
    data = f", {version.rows:,} rows of {version.users:,} users" if version.rows else ""
    at = f", {version.created[:16]}" if version.created else ""
    return f"{version.mode}{at}{data}"


def _whole(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a version that is shown."""
    yield f"{told['solution']}/{told['version']}: {told['state']}, {told['status']}"
    yield f"  {told['arn']}"
    yield f"  {_making(Version.from_dict(told))}"
    for name, value in sorted(told["metrics"].items()):
        yield f"  {name:<48} {value:.4f}"
    for one in told["verdicts"]:
        yield f"verdict for {one['campaign']} ({one['mode']}): {one['word']}"
        yield from (f"  {line}" for line in (*said(one), *one["notes"]))
    for one in told["smoke"]:
        back = ", and it was rolled back" if one["back"] else ""
        yield f"smoke test of {one['campaign']} at {one['at'][:16]}: {one['word']}{back}"
        yield from (f"  {line}" for line in (*said(one), *one["notes"]))
    for one in told["watched"]:
        back = ", and it went back" if one["back"] else ""
        yield f"watched {one['campaign']} until {one['at'][:16]}: {one['word']}{back}"
        yield from (f"  {line}" for line in (*said(one), *one["notes"]))
    if told["decision"]:
        decision = told["decision"]
        yield f"{decision['word']} by {decision['by']} at {decision['at']}: {decision['why']}"
    for one in told["moves"]:
        former = f", from {one['former']}" if one["former"] else ""
        yield f"{one['campaign']} moved to it at {one['at']}{former}, by {one['by']}: {one['why']}"
    if told["live"]:
        yield f"live on {told['on']} since {told['since']}"


def _rows(
    found: Sequence[Model], group: str, ledger: Ledger
) -> Iterator[tuple[Model, dict[str, Any]]]:
    """Yield each version with what is told of it."""
    solutions: dict[str, _Solution] = {}
    for one in found:
        name = one.version.solution
        if name not in solutions:
            own = [each for each in found if each.version.solution == name]
            solutions[name] = _Solution(name, own, group, ledger)
        yield one, solutions[name].row(one)


@dataclass(frozen=True)
class _Solution:
    """The versions of one solution, the newest first, and what is known of its campaigns."""

    name: str
    found: Sequence[Model]
    group: str
    ledger: Ledger

    def row(self, model: Model) -> dict[str, Any]:
        version = model.version
        live = next((each.version for each in self.found if _live_beside(each, model)), None)
        metric = headline(version.metrics)
        moves = list(self._moved_to(version.arn))
        since = (one["at"] for one in moves if one["campaign"] in model.live)
        thought = _thought(self.group, self.ledger, version.arn)
        return {
            **asdict(version),
            "solution": version.solution,
            "version": version.id,
            "trained": version.created[:16] if version.created else None,
            "status": model.status,
            "quality": in_short(version.metrics, live.metrics if live else None),
            "tolerance": tolerance(metric, self._history, version.tested) if metric else None,
            "live": list(model.live),
            "on": ", ".join(model.live),
            "since": max(since, default=None),
            "moves": moves,
            "smoke": list(self._of_campaigns(self.ledger.smoked, version.arn)),
            "watched": list(self._of_campaigns(self.ledger.watched, version.arn)),
            "state": self._state(model, thought),
            **thought,
        }

    def _moved_to(self, version: str) -> Iterator[dict[str, Any]]:
        """Yield the moves of campaigns to a version, in the order of time."""
        for name, moves in self._moves.items():
            for one in moves:
                if one.version == version:
                    former = one.former.rpartition("/")[2] if one.former else None
                    told = {"former": former, "at": one.at, "by": one.by, "why": one.why}
                    yield {"campaign": name, **told}

    def _of_campaigns(
        self, kept: Callable[[str, str, str], dict[str, Any] | None], version: str
    ) -> Iterator[dict[str, Any]]:
        """Yield what was thought of each campaign with a version: of its answers, or since then."""
        for name in self._campaigns:
            row = kept(self.group, self._id(name), version)
            if row:
                known = {key: row[key] for key in ("word", "reasons", "notes", "back", "at")}
                yield {"campaign": name, **known}

    def _state(self, model: Model, thought: Mapping[str, Any]) -> str:
        return state_of(
            model.version.arn,
            live=bool(model.live),
            newest=model is self.found[0],
            judged=bool(thought["verdicts"]),
            decision=thought["decision"],
            pointers=self._pointers,
            moves=[one for moves in self._moves.values() for one in moves],
        )

    @cached_property
    def _campaigns(self) -> list[str]:
        return sorted({name for one in self.found for name in one.live})

    @cached_property
    def _pointers(self) -> list[ModelPointer]:
        found = (self.ledger.pointer(self.group, self._id(name)) for name in self._campaigns)
        return [one for one in found if one is not None]

    @cached_property
    def _moves(self) -> dict[str, list[ModelPointer]]:
        moves = self.ledger.moves
        return {name: list(moves(self.group, self._id(name))) for name in self._campaigns}

    @cached_property
    def _history(self) -> list[Version]:
        return sorted((one.version for one in self.found), key=lambda one: one.created or "")

    def _id(self, campaign: str) -> str:
        return f"campaign.{self.name}.{campaign}"


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
    told = f"{decision['word']} by {decision['by']}" if decision else worst
    return {"verdicts": verdicts, "decision": decision, "thought": told}


def _live_beside(other: Model, one: Model) -> bool:
    same = other.version.solution == one.version.solution
    return bool(other.live) and same and other is not one and not one.live
