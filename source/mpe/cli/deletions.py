"""Removing resources of a dataset group, one after what uses it, in a turn of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import click

from mpe.aws.executions import Executions
from mpe.aws.inventory import Inventories
from mpe.aws.personalize import Busy, Missing, Personalize, ServiceError
from mpe.aws.turns import Claim
from mpe.cli.account import Account
from mpe.cli.terminal import say
from mpe.model.plan.inventory import Found, Inventory
from mpe.model.plan.owner import maintained_by, owner_of

LOOKS = 60
"""How many looks in a row may find nothing gone, before there is a new one at the whole group."""
LEASE = timedelta(hours=1)
"""How long runs are kept out after a removal that was interrupted for good: that of a whole dataset
group, which a run would make anew meanwhile."""
SHORT_LEASE = timedelta(minutes=10)
"""The same where the rest of the dataset group stays as it is; each look keeps the turn anew."""


@contextmanager
def stopped_as_by_ctrl_c() -> Iterator[None]:
    """Let a terminal that is closed, and a `kill`, end it as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@dataclass(frozen=True)
class Deletions:
    """What one command removes of a dataset group, while it keeps the runs out."""

    account: Account
    group: str
    command: str
    """The command, by whose name it has the turn."""
    lease: timedelta = LEASE
    """For how long it has the turn, unless it keeps it."""
    removed: list[dict[str, str]] = field(default_factory=list)
    """What is gone by now."""

    def found(self) -> Inventory | None:
        """Return what there is, or None; refuse a dataset group that another stack maintains."""
        inventories = Inventories(self._personalize)
        arn = inventories.groups().get(self.group)
        found = inventories.of(arn) if arn else None
        owner = owner_of(found.group.tags) if found else None
        if owner and owner != self.account.place().stack:
            raise click.ClickException(
                f"{maintained_by(self.group, owner)}: nothing was removed. Remove it there "
                f"(`--stack {owner}`), or first take it over (`mpe adopt {self.group} "
                "--take-over`)."
            )
        return found

    @property
    def _claim(self) -> Claim:
        return Claim(self.group, self.command, f"{self.command}:{self.group}", "")

    def take_turn(self) -> None:
        """Keep runs out; an interrupted removal's own turn is taken again."""
        executions, turns = Executions(self.account.client("stepfunctions")), self.account.turns
        told = False
        while holder := turns.take_turn(self._claim, executions, datetime.now(UTC), self.lease):
            if executions.running(holder):
                raise click.ClickException(
                    f"a run works on {self.group}: wait for its end (`mpe watch {self.group}`), "
                    f"or stop it. Nothing was removed. It is {holder}"
                )
            if not told:
                say("waiting until the functions of a run that was stopped are done")
            told = True
            time.sleep(self.account.looks_every)

    def keep_turn(self) -> None:
        """Keep the turn for as long again; who has lost it removes nothing any more."""
        holder = self.account.turns.take(self._claim, datetime.now(UTC), self.lease)
        if holder is not None:
            raise click.ClickException(
                f"the turn in {self.group} is another's now, who may need what is left: "
                f"{holder or 'it was given back'}. Start it again to go on."
            )

    def give_back(self) -> None:
        """Give the turn back."""
        self.account.turns.give_back(self.group, self._claim.execution)

    def remove(self, stage: Sequence[Found]) -> bool:
        """Remove what can go at the same time; tell whether it is gone, or nothing moves."""
        left, looks = list(stage), 0
        blocked: dict[str, str] = {}
        while left and looks < LOOKS:
            still = [one for one in left if not self._gone(one, blocked)]
            looks = 0 if len(still) < len(left) else looks + 1
            left = still
            if left:
                self.keep_turn()
                time.sleep(self.account.looks_every)
        return not left

    def _gone(self, one: Found, blocked: dict[str, str]) -> bool:
        """Ask for a removal, and tell whether it is done; what is in use is asked again."""
        try:
            if not self._going(one):
                self.keep_turn()
                self._personalize.delete(one.spec, one.arn)
            return not one.spec.has_status and self._removed(one)
        except Missing:
            return self._removed(one)
        except Busy as busy:
            if blocked.get(one.arn) != busy.message:
                say(f"waiting for {one.noun} {one.name}: {busy.message}")
            blocked[one.arn] = busy.message
            return False
        except ServiceError as error:
            raise click.ClickException(
                f"{one.noun} {one.name} cannot be removed: {error.message} Mend that, and start "
                "it again to go on."
            ) from error

    def _going(self, one: Found) -> bool:
        """Tell whether it is being removed already."""
        status = str(self._personalize.described(one.spec, one.arn).get("status", ""))
        return status.startswith("DELETE") and not status.endswith("FAILED")

    def _removed(self, one: Found) -> bool:
        say(f"removed {one.noun} {one.name}")
        self.removed.append({"resource": one.noun, "name": one.name})
        return True

    @property
    def _personalize(self) -> Personalize:
        return Personalize(self.account.client("personalize"))
