"""A campaign is watched for some time once it has moved, and goes back where it does badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.cloudwatch import CloudWatch, Unmeasured
from mpe.aws.events import EventSink
from mpe.aws.ledger import Ledger
from mpe.aws.personalize import Missing, Personalize, ServiceError
from mpe.handlers.gauges import Gauges
from mpe.handlers.settings import LOGGER
from mpe.handlers.smoking import ROLLED_BACK
from mpe.model.gate.pointer import GATE, SERVICE, FailedUpdate, ModelPointer, undone
from mpe.model.gate.verdict import Verdict
from mpe.model.gate.versions import said
from mpe.model.gate.watch import (
    LATE,
    TOO_LATE,
    Traffic,
    WatchTerms,
    judge_watch,
    requests_of,
)
from mpe.model.messages import FAILING
from mpe.model.plan.desired import Desired
from mpe.model.plan.reconcile import Change
from mpe.model.service.spec import ACTIVE, FAILED, SPECS

CAMPAIGN_FAILING = "Personalize Campaign Failing"
BECAUSE = "once it had moved, "
"""What begins the reason of a move back by a watch."""


@dataclass(frozen=True)
class Watching:
    """Watch through CloudWatch, and move back through the ledger and one update.

    The pointer moves first, and only from where it was read: a run, or a person, who has moved it
    meanwhile has decided. Whoever is killed after that is gone on for at the next look.
    """

    personalize: Personalize
    cloudwatch: CloudWatch
    ledger: Ledger
    events: EventSink
    gauges: Gauges
    clock: Clock
    stack: str
    """The name of the stack, which people are told."""

    def __call__(self, group: str, campaign: Desired, pointer: ModelPointer) -> None:
        """Look once at a campaign that follows a pointer."""
        back = pointer.by == GATE and pointer.why.startswith(BECAUSE)
        if "watch" not in campaign.gate or pointer.by == SERVICE or pointer.version is None:
            return
        if pointer.former in pointer.barred and not back:  # a person, or a smoke test, went back
            return
        row = self.ledger.watched(group, campaign.id, pointer.version)
        found = None if row and row["move"] == pointer.at else self._settled(campaign)
        if found is None:
            return
        if back:
            self._finish(group, campaign, pointer, found)
        elif found["solutionVersionArn"] == pointer.version:
            self._watch(group, campaign, pointer, _since(found))

    def _settled(self, campaign: Desired) -> Mapping[str, Any] | None:
        """Return a campaign as it is described, or None where it is gone or being updated."""
        try:
            found = self.personalize.described(SPECS["Campaign"], str(campaign.arn))
        except Missing:
            return None
        update = (found.get("latestCampaignUpdate") or {}).get("status", ACTIVE)
        return found if found["status"] == ACTIVE and update in {ACTIVE, *FAILED} else None

    def _watch(self, group: str, campaign: Desired, pointer: ModelPointer, began: datetime) -> None:
        terms = WatchTerms.of(campaign.gate["watch"])
        over = self.clock.since(began) - terms.seconds
        if over > TOO_LATE:
            notes = ("Nobody looked in time.",)
            self._note(group, campaign, pointer, Verdict("inconclusive", notes=notes))
            return
        verdict = self._judged(campaign, terms, began)
        if verdict.word != "hold":
            if over > LATE:
                self._note(group, campaign, pointer, verdict)
            return
        if self._goes_back(group, campaign, pointer, terms):
            self._take_back(group, campaign, pointer, verdict)
            return
        self._tell(group, campaign, str(pointer.version), said(verdict.as_dict()))
        self._note(group, campaign, pointer, verdict)

    def _judged(self, campaign: Desired, terms: WatchTerms, began: datetime) -> Verdict:
        operation, arn = requests_of(campaign.gate["recipe"]), str(campaign.arn)
        try:
            alarms = self.cloudwatch.alarms(terms.alarms)
            end = began + timedelta(seconds=terms.seconds)
            counted = operation and self.cloudwatch.traffic(arn, operation, began, end)
        except Unmeasured as error:
            return Verdict("inconclusive", notes=(f"CloudWatch told nothing: {error}.",))
        return judge_watch(terms, counted or Traffic(), alarms, began)

    def _goes_back(
        self, group: str, campaign: Desired, pointer: ModelPointer, terms: WatchTerms
    ) -> bool:
        """Tell whether the gate may move it back, and there is a version to go back to."""
        holds = campaign.gate["mode"] in {"hold", "approve"} and terms.roll_back
        chosen = pointer.by != GATE or pointer.frozen is not None
        if not holds or chosen or pointer.former is None:
            return False
        decision = self.ledger.decision(group, str(pointer.version))
        if decision is not None and decision["word"] == "approved":
            return False
        try:
            former = self.personalize.described(SPECS["SolutionVersion"], pointer.former)
        except Missing:
            return False
        return bool(former["status"] == ACTIVE)

    def _take_back(
        self, group: str, campaign: Desired, pointer: ModelPointer, verdict: Verdict
    ) -> None:
        why = f"{BECAUSE}{' '.join(said(verdict.as_dict()))}"
        moves, now = self.ledger.moves(group, campaign.id), self.clock.now()
        back = undone(pointer, str(pointer.former), why=why, at=now, moves=moves)
        if not self.ledger.undo(group, campaign.id, pointer, back):
            return  # somebody has moved it meanwhile
        row = {**verdict.as_dict(), "move": pointer.at, "back": True, "at": now.isoformat()}
        self.ledger.note_watch(group, campaign.id, str(pointer.version), row)
        found = self._settled(campaign)
        if found is not None:
            self._finish(group, campaign, back, found)

    def _finish(
        self, group: str, campaign: Desired, pointer: ModelPointer, found: Mapping[str, Any]
    ) -> None:
        """Do what a pointer that was moved back asks for, and tell it once that is begun."""
        served, wanted, left = found["solutionVersionArn"], str(pointer.version), pointer.former
        self.ledger.note_move(group, campaign.id, pointer)
        failed = FailedUpdate.of(found)
        if failed and not failed.stops(pointer, wanted):
            failed = None  # an earlier one, or of something else
        if served == left and not failed:
            try:
                change = Change("solutionVersionArn", served, wanted)
                self.personalize.update(campaign, str(campaign.arn), (change,))
            except ServiceError as error:  # the next look tries again
                LOGGER.warning("not moved back", extra={"arn": campaign.arn, "error": str(error)})
                return
        self._tell_once(group, campaign, pointer)
        if served == left and failed:
            why = [f"the update back to {wanted} failed: {failed.why}", "it goes on as it is."]
            self._tell(group, campaign, str(left), why)
        if served != left or failed:
            notes = ("It is what the gate went back to.",)
            self._note(group, campaign, pointer, Verdict("pass", notes=notes))

    def _tell_once(self, group: str, campaign: Desired, pointer: ModelPointer) -> None:
        """Tell of a move back once it is begun, whoever goes on with it."""
        left = str(pointer.former)
        row = self.ledger.watched(group, campaign.id, left) or {}
        if row.get("told"):
            return
        why = [pointer.why.removeprefix(BECAUSE)]
        detail: dict[str, Any] = {"DatasetGroup": group, "Campaign": campaign.name}
        detail |= {"Version": left, "To": pointer.version, "Verdict": "hold", "Reasons": why}
        self.events.put(ROLLED_BACK, detail)
        self._tell(group, campaign, left, why, to=pointer.version, frozen=pointer.frozen)
        self.gauges.rolled_back(group, campaign.name)
        self.ledger.note_watch(group, campaign.id, left, {**row, "told": True})

    def _tell(
        self, group: str, campaign: Desired, version: str, why: list[str], **more: str | None
    ) -> None:
        detail = {
            "DatasetGroup": group,
            "Status": FAILING,
            "Campaign": campaign.name,
            "Version": version,
            "To": more.get("to"),
            "Frozen": more.get("frozen"),
            "Reasons": why,
            "Stack": self.stack,
        }
        self.events.put(CAMPAIGN_FAILING, detail)

    def _note(self, group: str, campaign: Desired, pointer: ModelPointer, verdict: Verdict) -> None:
        """Keep what was thought, so that nobody looks again until the pointer moves."""
        at = self.clock.now().isoformat()
        row = {**verdict.as_dict(), "move": pointer.at, "back": False, "at": at}
        self.ledger.note_watch(group, campaign.id, str(pointer.version), row)


def _since(found: Mapping[str, Any]) -> datetime:
    """Return since when, at the latest, a campaign has served what it serves.

    Until an update is active the campaign answers with the version before
    (https://docs.aws.amazon.com/personalize/latest/dg/API_UpdateCampaign.html). Where its newest
    update failed, the service tells no more when the one before was done; it is taken for granted,
    since no page says so, that this was before the newest began.
    """
    update = found.get("latestCampaignUpdate")
    if not update:
        made: datetime = found["creationDateTime"]
        return made
    when = "lastUpdatedDateTime" if update["status"] == ACTIVE else "creationDateTime"
    moment: datetime = update[when]
    return moment
