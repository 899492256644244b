"""A new version is judged, once, for each campaign of its solution, and their pointers follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.events import EventSink
from mpe.aws.ledger import Ledger
from mpe.aws.personalize import Missing, Personalize
from mpe.handlers.holding import Holding
from mpe.model.gate.pointer import GATE, Served, judged
from mpe.model.gate.terms import Gate
from mpe.model.gate.verdict import Verdict, judge, promotes
from mpe.model.gate.versions import Version, said
from mpe.model.messages import DRIFTED
from mpe.model.plan.desired import Desired
from mpe.model.service.spec import SPECS

MODEL_JUDGED = "Personalize Model Judged"
CAMPAIGN_DRIFTED = "Personalize Campaign Drifted"


@dataclass(frozen=True)
class Judging:
    """Judge through the ledger, and through what the campaigns serve."""

    personalize: Personalize
    ledger: Ledger
    events: EventSink
    clock: Clock
    stack: str
    """The name of the stack, which people are told."""
    run: str = ""
    """The run that judges, whose row names its config."""

    def __call__(self, group: str, desired: Desired, newest: str) -> None:
        """Judge the newest version of a solution for each of its campaigns.

        What was thought of it before stays so; a person's word, and what a campaign serves by now,
        count anew.
        """
        if not desired.campaigns:
            return
        solution, now = str(desired.parent), self.clock.now()
        self._expire(group, desired)
        versions = self.ledger.versions(group, solution.rpartition("/")[2])
        history = sorted(versions, key=lambda one: one.created or "")
        known = {row["campaign"]: row for row in self.ledger.verdicts(group, newest)}
        for campaign in desired.campaigns:
            gate = replace(Gate.of(desired.gate), mode=campaign["mode"])
            served = self._served(group, campaign, solution)
            live = served.version
            row: Mapping[str, Any] | None = known.get(campaign["id"])
            if row is None and live != newest:
                row = self._judge(group, desired, gate, campaign, newest, live, history, now)
            if not campaign["pinned"]:
                self._point(group, gate, campaign, newest, served, row, now)

    def _expire(self, group: str, desired: Desired) -> None:
        """End the holds that have lasted long enough, before anybody else may have looked."""
        ids = [one["id"] for one in desired.campaigns if not one["pinned"]]
        found = ((id, self.ledger.pointer(group, id)) for id in ids)
        pointers = {id: one for id, one in found if one is not None}
        holding = Holding(self.ledger, self.events, self.clock, self.stack)
        holding.expire(group, desired.gate, pointers)

    def _served(self, group: str, campaign: Mapping[str, Any], solution: str) -> Served:
        """Return which version of the solution the campaign serves, or batch jobs do."""
        if "arn" not in campaign:
            pointer = self.ledger.pointer(group, campaign["id"])
            return Served(pointer.version if pointer else None)
        try:
            found = self.personalize.described(SPECS["Campaign"], campaign["arn"])
        except Missing:
            return Served()
        return Served.of(found, solution)

    def _judge(
        self,
        group: str,
        desired: Desired,
        gate: Gate,
        campaign: Mapping[str, Any],
        newest: str,
        live: str | None,
        history: list[Version],
        now: datetime,
    ) -> Mapping[str, Any]:
        """Say what is thought of a version, to the bus and to the ledger."""
        versions = {one.arn: one for one in history}
        baseline = list(self.ledger.versions(group, gate.baseline)) if gate.baseline else []
        verdict = judge(
            gate,
            versions.get(newest, Version(newest)),
            live=versions.get(live, Version(live)) if live else None,
            history=[one for one in history if one.arn != newest],
            baseline=max(baseline, key=lambda one: one.created or "", default=None),
        )
        served = promotes(gate, verdict) and not campaign["pinned"]
        compared = {arn: dict(versions[arn].metrics) for arn in (newest, live) if arn in versions}
        row = {
            **verdict.as_dict(),
            "mode": gate.mode,
            "live": live,
            "pinned": campaign["pinned"],
            "refreshed": bool(desired.gate.get("refreshed")),
            "at": now.isoformat(timespec="seconds"),
            "by": GATE,
            "run": self.run,
            "imports": self.ledger.imports(group),
            "metrics": compared,
            "gate": dict(desired.gate),
        }
        self.events.put(MODEL_JUDGED, _detail(group, desired, campaign, newest, verdict, served))
        self.ledger.note_verdict(group, newest, campaign["id"], row)
        return row

    def _point(
        self,
        group: str,
        gate: Gate,
        campaign: Mapping[str, Any],
        newest: str,
        served: Served,
        row: Mapping[str, Any] | None,
        now: datetime,
    ) -> None:
        decision = self.ledger.decision(group, newest)
        before = self.ledger.pointer(group, campaign["id"])
        after = judged(
            before,
            live=served.version,
            newest=newest,
            decision=decision["word"] if decision else None,
            passes=row is None or promotes(gate, row),
            reason=reason_of(row) if row else "",
            at=now.isoformat(timespec="milliseconds"),
            failed=served.failed,
        )
        if after == before:
            return
        if before and served.drifted(before):
            told = self._drifted(group, campaign, str(before.version), str(served.version))
            on = {"To": after.version if after.version != served.version else None}
            self.events.put(CAMPAIGN_DRIFTED, {**told, **on})
        self.ledger.point(group, campaign["id"], after)

    def _drifted(
        self, group: str, campaign: Mapping[str, Any], recorded: str, live: str
    ) -> dict[str, Any]:
        """Tell of a campaign that serves another version than the ledger had."""
        return {
            "DatasetGroup": group,
            "Status": DRIFTED,
            "Campaign": campaign["id"].rpartition(".")[2],
            "Version": live,
            "Recorded": recorded,
            "Stack": self.stack,
        }


def reason_of(row: Mapping[str, Any]) -> str:
    """Say in a line what was thought of a version."""
    if row["word"] == "pass" and row["mode"] == "approve":
        return "it passed, and waits for somebody's approval."
    return " ".join(said(row)) or row["word"]


def _detail(
    group: str,
    desired: Desired,
    campaign: Mapping[str, Any],
    newest: str,
    verdict: Verdict,
    served: bool,
) -> dict[str, Any]:
    return {
        "DatasetGroup": group,
        "Solution": desired.name,
        "Version": newest,
        "Campaign": campaign["id"].rpartition(".")[2] if "arn" in campaign else None,
        "Verdict": verdict.word,
        "Promoted": served,
        "Reasons": [one.told for one in verdict.reasons],
    }
