"""A campaign is asked before it moves to a new version, and again after: a smoke test.

Nothing that goes wrong with asking fails a run. Where the new version answers badly and the gate
holds, the pointer goes back to the version before, and the campaign is updated as it always is.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mpe.aws.events import EventSink
from mpe.aws.ledger import Ledger
from mpe.aws.lists import Lists
from mpe.aws.objects import Objects, Unreadable
from mpe.handlers.gauges import Gauges
from mpe.handlers.settings import LOGGER
from mpe.model.gate.pointer import ModelPointer, undone
from mpe.model.gate.smoke import (
    TOLD,
    UNPROBED,
    Answer,
    Probe,
    SmokeLimits,
    judge_lists,
    probes,
    with_filters,
)
from mpe.model.gate.verdict import Verdict
from mpe.model.gate.versions import said
from mpe.model.messages import DOUBTED
from mpe.model.plan.desired import Desired
from mpe.model.service.csvs import Head

CAMPAIGN_PROBED = "Personalize Campaign Probed"
ROLLED_BACK = "Personalize Campaign Rolled Back"
WITHIN = 15.0
"""Seconds that asking may take, of the minute that a function has; with filters as many again."""


@dataclass(frozen=True)
class Smoking:
    """Ask through the runtime, and remember through the ledger."""

    lists: Lists
    objects: Objects
    ledger: Ledger
    events: EventSink
    gauges: Gauges
    doubted: str | None = None
    """The event by which people are told of what fails, where no run's mail does."""
    stack: str = ""
    """The name of the stack, which people are told then."""

    def before(self, group: str, desired: Desired, live: str, interactions: Desired | None) -> None:
        """Keep what a campaign answers with the version that it is about to leave, once."""
        new = str(desired.params["solutionVersionArn"])
        if not _wanted(desired) or self.ledger.probed(group, desired.id, new):
            return
        chosen = self._probes(desired, interactions)
        answers = list(self._ask(desired, chosen))
        row = {
            "version": new,
            "live": live,
            "probes": [one.as_dict() for one in chosen],
            "lists": {one.probe.id: list(one.items) for one in answers if one.items},
            "filters": {one.probe.filter: one.error for one in self._filtered(desired, chosen)},
        }
        self.ledger.note_probes(group, desired.id, row)

    def after(
        self,
        group: str,
        desired: Desired,
        before: str | None,
        interactions: Desired | None,
        now: datetime,
    ) -> str | None:
        """Return what is to be told of a campaign that serves a new version, or None.

        ``before`` is the version that it served, to which it is rolled back where the gate holds.
        A version is probed once for each campaign.
        """
        new = str(desired.params["solutionVersionArn"])
        if not _wanted(desired) or self.ledger.smoked(group, desired.id, new):
            return None
        kept = self.ledger.probed(group, desired.id, new) or {}
        known = tuple(Probe.from_dict(one) for one in kept.get("probes", ()))
        chosen = known or self._probes(desired, interactions)
        verdict = judge_lists(
            SmokeLimits.of(desired.gate.get("smoke") or {}),
            desired.gate["recipe"],
            kept.get("lists", {}),
            list(self._ask(desired, chosen)),
        )
        answers = list(self._filtered(desired, chosen))
        verdict, notes = with_filters(verdict, kept.get("filters", {}), answers)
        back = verdict.word == "hold" and self._roll_back(group, desired, new, before, verdict, now)
        row = {**verdict.as_dict(), "live": before, "back": bool(back), "at": now.isoformat()}
        detail = {
            "DatasetGroup": group,
            "Campaign": desired.name,
            "Version": new,
            "Verdict": verdict.word,
            "Reasons": said(row),
        }
        self.events.put(CAMPAIGN_PROBED, detail)
        if self.doubted and verdict.word != "pass":
            self.events.put(self.doubted, {**detail, "Status": DOUBTED, "Stack": self.stack})
        if back:
            self.events.put(ROLLED_BACK, {**detail, "To": before})
            self.gauges.rolled_back(group, desired.name)
        self.ledger.note_smoke(group, desired.id, new, row)
        if verdict.word == "pass":
            return f"{TOLD}passed. {' '.join(notes)}" if notes else None
        return _told(row, group, new)

    def _roll_back(
        self,
        group: str,
        desired: Desired,
        new: str,
        before: str | None,
        verdict: Verdict,
        now: datetime,
    ) -> bool:
        """Move the pointer back, unless a person chose the version; a second time freezes it."""
        decision = self.ledger.decision(group, new)
        chosen = decision is not None and decision["word"] == "approved"
        if before is None or chosen or desired.gate["mode"] not in {"hold", "approve"}:
            return False
        found = self.ledger.pointer(group, desired.id) or ModelPointer(new)
        why = f"the smoke test failed: {' '.join(said(verdict.as_dict()))}"
        moves = self.ledger.moves(group, desired.id)
        self.ledger.point(group, desired.id, undone(found, before, why=why, at=now, moves=moves))
        return True

    def _ask(self, desired: Desired, chosen: tuple[Probe, ...]) -> Any:
        rate = float(desired.params.get("minProvisionedTPS") or 1)
        return self.lists.ask(
            str(desired.arn), desired.gate["recipe"], chosen, rate=rate, within=WITHIN
        )

    def _filtered(self, desired: Desired, chosen: tuple[Probe, ...]) -> Iterator[Answer]:
        """Ask once with each filter that needs no more, for the first user or item of all."""
        arns = desired.gate.get("filters", ())
        asked = tuple(replace(one, filter=arn) for one in chosen[:1] for arn in arns)
        found: Iterator[Answer] = self._ask(desired, asked)
        return found

    def _probes(self, desired: Desired, interactions: Desired | None) -> tuple[Probe, ...]:
        """Return the user's own probes, or some from the beginning of the interactions."""
        recipe = desired.gate["recipe"]
        count = SmokeLimits.of(desired.gate.get("smoke") or {}).probes
        if interactions is None or interactions.data is None:
            return probes(recipe, (), count)
        own = f"s3://{interactions.data.bucket}/{desired.gate['probes']}"
        for place in (own, self.objects.data(interactions.data).location):
            found = probes(recipe, self._heads(place), count)
            if any(one.known for one in found):
                return found
        return probes(recipe, (), count)

    def _heads(self, location: str) -> list[Head]:
        try:
            return list(self.objects.heads(location))
        except Unreadable as error:
            LOGGER.info("no probes", extra={"location": location, "error": str(error)})
            return []


def _wanted(desired: Desired) -> bool:
    asked = desired.gate.get("mode") != "observe" or "smoke" in desired.gate
    return bool(desired.gate) and asked and desired.gate["recipe"] not in UNPROBED


def _told(row: Mapping[str, Any], group: str, version: str) -> str:
    back = " It was rolled back." if row["back"] else ""
    word = "is inconclusive" if row["word"] == "inconclusive" else "failed"
    solution = version.rpartition("/")[0].rpartition("/")[2]
    more = f"All that is known of it: mpe models show {shlex.quote(group)} {solution}"
    return f"{TOLD}{word}: {' '.join(said(row))}{back} {more}"
