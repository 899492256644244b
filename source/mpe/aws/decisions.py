"""A person's decisions on versions: recorded first, then done by one update of each campaign.

Who is killed in between has decided: the next run moves the campaign to where its pointer is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mpe.aws.ledger import Ledger
from mpe.aws.personalize import Busy, Missing, Personalize
from mpe.model.errors import PersonalizationError
from mpe.model.gate.pointer import ModelPointer, serving
from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.reconcile import Change
from mpe.model.service.spec import ACTIVE, SPECS

TRIES, BETWEEN = 180, 10.0
"""How often, and after how many seconds, a campaign is tried that is being updated already."""


class DecisionRefused(PersonalizationError):
    """A decision that cannot be; nothing was changed."""


@dataclass(frozen=True)
class Decisions:
    """Decide about the versions of one dataset group's solutions."""

    state: DesiredState
    personalize: Personalize
    ledger: Ledger
    by: str
    """The ARN of who decides."""
    why: str
    now: datetime
    pause: Callable[[float], None] = time.sleep

    def approve(self, solution: str, version: str | None = None) -> Iterator[str]:
        """Let the newest version be served, and move the solution's campaigns to it."""
        campaigns = self._campaigns(solution)
        arn = self._newest(solution, version)
        pointers = {one.id: self._pointer(one) for one in campaigns}
        for one in campaigns:
            if pointers[one.id].frozen is not None:
                told = f"the campaign {one.name} is frozen ({pointers[one.id].frozen})"
                raise DecisionRefused(f"{told}: `mpe unfreeze` it first.")
        served = all(one.version == arn for one in pointers.values())
        if not self._decide(arn, "approved") and served:
            self._refuse_decided(arn)
        self._keep("approve", solution, arn, campaigns)
        yield f"approved {solution}/{_id(arn)}"
        for one in campaigns:
            yield from self._move(one, pointers[one.id], self._moved(pointers[one.id], arn))

    def reject(self, solution: str, version: str | None = None) -> Iterator[str]:
        """Never let the newest version be served."""
        campaigns = self._campaigns(solution)
        arn = self._newest(solution, version)
        for one in campaigns:
            if self._served(one) == arn:
                told = f"the campaign {one.name} serves {_id(arn)}"
                raise DecisionRefused(f"{told}: `mpe rollback` it instead.")
        if not self._decide(arn, "rejected"):
            self._refuse_decided(arn)
        self._keep("reject", solution, arn, campaigns)
        yield f"rejected {solution}/{_id(arn)}: no run, pin or batch job brings it back"

    def rollback(self, campaign: str, version: str | None = None) -> Iterator[str]:
        """Return a campaign to the version before, or to another, and bar the one it leaves."""
        desired = self._campaign(campaign)
        live = self._served(desired)
        if live is None:
            raise DecisionRefused(f"the campaign {campaign} does not exist.")
        found = self._pointer(desired)
        found = found if found.version == live else replace(found, version=live)
        target = f"{desired.parent}/{version}" if version else found.former
        if target is None:
            raise DecisionRefused(
                f"no version is known that {campaign} served before: name one with --to."
            )
        if target == live:
            raise DecisionRefused(f"{campaign} serves {_id(live)} already.")
        self._refuse_missing(target)
        self._keep("rollback", campaign, target, [desired])
        back = found.rolled_back(target, by=self.by, why=self.why, at=self._at)
        yield from self._move(desired, found, back)

    def freeze(self, campaign: str) -> Iterator[str]:
        """Keep a campaign where it is, whatever is trained."""
        desired = self._campaign(campaign)
        found = self._pointer(desired)
        if found.frozen is not None:
            raise DecisionRefused(f"{campaign} is frozen already: {found.frozen}")
        self._keep("freeze", campaign, None, [desired])
        at = found if found.version else replace(found, version=self._served(desired))
        self.ledger.point(self.state.group, desired.id, replace(at, frozen=self.why))
        yield f"froze {campaign}: no run moves it until `mpe unfreeze`"

    def unfreeze(self, campaign: str) -> Iterator[str]:
        """Let runs move a campaign again."""
        desired = self._campaign(campaign)
        found = self._pointer(desired)
        if found.frozen is None:
            raise DecisionRefused(f"{campaign} is not frozen.")
        self._keep("unfreeze", campaign, None, [desired])
        self.ledger.point(self.state.group, desired.id, replace(found, frozen=None))
        yield f"unfroze {campaign}: the next run may move it"

    @property
    def _at(self) -> str:
        return self.now.isoformat(timespec="milliseconds")

    def _campaigns(self, solution: str) -> list[Desired]:
        """Return the campaigns of a solution that follow a pointer."""
        version = self.state.resources.get(f"version.{solution}")
        if version is None:
            named = (one.name for one in self.state.resources.values() if one.noun == "Solution")
            told = ", ".join(sorted(named)) or "none"
            raise DecisionRefused(f"there is no solution {solution!r}. Solutions: {told}.")
        found = [self.state.resources.get(one["id"]) for one in version.campaigns]
        campaigns = [one for one in found if one is not None and one.pointer]
        if not campaigns:
            raise DecisionRefused(
                f"no campaign of {solution} follows a gate: its mode is off, or each stays at a "
                "version or follows the newest by itself."
            )
        return campaigns

    def _campaign(self, name: str) -> Desired:
        campaigns = {one.name: one for one in self.state.resources.values() if _is_campaign(one)}
        found = campaigns.get(name)
        if found is None:
            told = ", ".join(sorted(campaigns)) or "none"
            raise DecisionRefused(f"there is no campaign {name!r}. Campaigns: {told}.")
        if found.pointer is None:
            raise DecisionRefused(
                f"{name} follows no gate: its mode is off, or it stays at a version (change "
                "solutionVersionArn in the config), or follows the newest by itself."
            )
        return found

    def _newest(self, solution: str, version: str | None) -> str:
        """Return the newest ACTIVE version; refuse one that is gone, or no longer the newest."""
        arn = str(self.state.resources[f"version.{solution}"].parent)
        listed = self._versions(arn)
        found = sorted(listed, key=lambda one: one["creationDateTime"])
        known = [str(one["solutionVersionArn"]) for one in found if one["status"] == ACTIVE]
        if not known:
            raise DecisionRefused(f"{solution} has no version that is ACTIVE.")
        newest = known[-1]
        if version not in {None, _id(newest)}:
            gone = f"{arn}/{version}" not in known
            told = "is not there" if gone else "is no longer the newest"
            raise DecisionRefused(f"{version} {told}: the newest is {_id(newest)}.")
        return newest

    def _versions(self, solution: str) -> list[Mapping[str, Any]]:
        try:
            spec = SPECS["SolutionVersion"]
            return list(self.personalize.listed(spec, {"solutionArn": solution}))
        except Missing:
            return []

    def _refuse_missing(self, arn: str) -> None:
        try:
            found = self.personalize.described(SPECS["SolutionVersion"], arn)
        except Missing:
            raise DecisionRefused(f"there is no version {_id(arn)} any more.") from None
        if found["status"] != ACTIVE:
            raise DecisionRefused(f"{_id(arn)} is {found['status']}, and cannot be served.")

    def _decide(self, arn: str, word: str) -> bool:
        row = {"word": word, "by": self.by, "why": self.why, "at": self._at}
        return self.ledger.decide(self.state.group, arn, row)

    def _refuse_decided(self, arn: str) -> None:
        """Refuse a word on a version that was said and done."""
        known = self.ledger.decision(self.state.group, arn) or {}
        told = f"{_id(arn)} was {known.get('word')} by {known.get('by')} at {known.get('at')}"
        raise DecisionRefused(f"{told}: {known.get('why')}")

    def _keep(self, word: str, about: str, version: str | None, campaigns: list[Desired]) -> None:
        """Keep a decision in a row of its own, with all that was known when it was made."""
        group, ledger = self.state.group, self.ledger
        live = {one.name: self._served(one) or "" for one in campaigns}
        versions = sorted({arn for arn in (version, *live.values()) if arn})
        weighed = {arn: ledger.weighed(group, arn) for arn in versions}
        solution = version.split("/")[-2] if version else ""
        judging = self.state.resources.get(f"version.{solution}")
        row = {
            "word": word,
            "about": about,
            "by": self.by,
            "why": self.why,
            "at": self._at,
            "config": self.state.version,
            "imports": ledger.imports(group),
            "version": version or "",
            "live": live,
            "metrics": {arn: dict(one.metrics) for arn, one in weighed.items() if one},
            "verdicts": list(ledger.verdicts(group, version)) if version else [],
            "gate": dict(judging.gate) if judging else {},
        }
        ledger.note_decision(group, row)

    def _pointer(self, campaign: Desired) -> ModelPointer:
        return self.ledger.pointer(self.state.group, campaign.id) or ModelPointer()

    def _moved(self, pointer: ModelPointer, arn: str) -> ModelPointer:
        moved = pointer.moved(arn, by=self.by, why=self.why, at=self._at)
        return replace(moved, barred=tuple(one for one in moved.barred if one != arn))

    def _served(self, campaign: Desired) -> str | None:
        try:
            found = self.personalize.described(SPECS["Campaign"], str(campaign.arn))
        except Missing:
            return None
        return serving(found)

    def _move(self, campaign: Desired, before: ModelPointer, after: ModelPointer) -> Iterator[str]:
        """Record where a campaign is to be, then update it, once it is not being updated."""
        served, wanted = self._served(campaign), str(after.version)
        if served and before.version != served:
            after = replace(after, former=served if served != wanted else after.former)
        self.ledger.point(self.state.group, campaign.id, after)
        if served is None:
            yield f"{campaign.name} does not exist yet: upload the config again to create it"
        elif served != wanted:
            self._update(campaign, Change("solutionVersionArn", served, wanted))
            yield f"{campaign.name} moves from {_id(served)} to {_id(wanted)}"

    def _update(self, campaign: Desired, change: Change) -> None:
        for left in reversed(range(TRIES)):
            try:
                self.personalize.update(campaign, str(campaign.arn), (change,))
            except Busy:
                if not left:
                    raise
            else:
                return
            self.pause(BETWEEN)


def _is_campaign(desired: Desired) -> bool:
    return desired.noun == "Campaign"


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
