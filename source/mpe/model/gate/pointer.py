"""Which version a campaign is to serve: a pointer that only a recorded decision moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from mpe.model.service.spec import ACTIVE, FAILED

Word = Literal["approved", "rejected", "expired"]
GATE = "gate"
"""Who moves a pointer where no person does."""
SERVICE = "what the campaign serves"
"""Who moved it where the campaign serves another version than the ledger knows of."""
FREEZES, WEEK = 2, timedelta(days=7)
"""So many rollbacks by the gate within a week freeze a campaign."""


@dataclass(frozen=True)
class ModelPointer:
    """The version that a campaign is to serve, and how it came to that."""

    version: str | None = None
    """Its ARN, or None where the campaign is to serve none yet."""
    former: str | None = None
    """What it pointed to before, to which a rollback returns."""
    by: str = GATE
    """A caller's ARN, :data:`GATE` or :data:`SERVICE`."""
    why: str = ""
    at: str | None = None
    barred: tuple[str, ...] = ()
    """Versions that somebody rolled back: the gate does not return to them."""
    frozen: str | None = None
    """Why it stays where it is, or None where it may move."""
    held: str | None = None
    """The newest version, where it may not be served, and :attr:`reason` says why."""
    reason: str = ""
    since: str | None = None
    """Since when it is held."""

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> ModelPointer:
        """Read back what :meth:`as_dict` wrote, and pass over what is kept beside it."""
        known = {name: saved[name] for name in cls.__dataclass_fields__ if name in saved}
        return cls(**{**known, "barred": tuple(known.get("barred", ()))})

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None}

    def moved(self, version: str, *, by: str, why: str, at: str) -> ModelPointer:
        """Return it at another version; where it is there already, it is as it was."""
        if version == self.version:
            return replace(self, held=None, reason="", since=None)
        former = self.version or self.former
        moved = replace(self, version=version, former=former, by=by, why=why, at=at)
        return replace(moved, held=None, reason="", since=None)

    def holding(self, version: str, *, why: str, at: str) -> ModelPointer:
        """Return it with a version that may not be served, since when that was first so."""
        known = self.since if self.held == version else None
        return replace(self, held=version, reason=why, since=known or at)

    def left_by(self, live: str | None) -> bool:
        """Tell whether a campaign serves another version, and not merely has yet to be moved."""
        return live not in {None, self.version, *self.barred}

    def rolled_back(self, version: str, *, by: str, why: str, at: str) -> ModelPointer:
        """Return it at an earlier version, with the one that it leaves barred."""
        left = (self.version,) if self.version else ()
        barred = tuple(one for one in dict.fromkeys((*self.barred, *left)) if one != version)
        return replace(self.moved(version, by=by, why=why, at=at), barred=barred)


def undone(
    pointer: ModelPointer, before: str, *, why: str, at: datetime, moves: Iterable[ModelPointer]
) -> ModelPointer:
    """Return a pointer that the gate moves back to the version before, with what it left held.

    ``moves`` are its former ones: a second move back within :data:`WEEK` freezes it. One that is
    later than the pointer's own was noted, and the function killed before the pointer moved.
    """
    left, told = str(pointer.version), at.isoformat(timespec="milliseconds")
    back = pointer.rolled_back(before, by=GATE, why=why, at=told)
    done = (one for one in moves if not (one.at and pointer.at and one.at > pointer.at))
    lately = [one for one in done if _taken_back(one) and _since(one, at - WEEK)]
    if len(lately) + 1 >= FREEZES:
        back = replace(back, frozen="the gate rolled it back twice within seven days.")
    return back.holding(left, why=why, at=told)


def _taken_back(move: ModelPointer) -> bool:
    """Tell whether the gate left a version for good by it."""
    return move.by == GATE and move.former in move.barred


def _since(move: ModelPointer, moment: datetime) -> bool:
    return move.at is not None and datetime.fromisoformat(move.at) > moment


def serving(campaign: Mapping[str, Any]) -> str:
    """Return the version that a campaign serves as it is described, or will once it is updated.

    An update that failed leaves it as it was
    (https://docs.aws.amazon.com/personalize/latest/dg/API_CampaignUpdateSummary.html).
    """
    update = campaign.get("latestCampaignUpdate") or {}
    under_way = update.get("status", ACTIVE) not in {ACTIVE, *FAILED}
    return str(update["solutionVersionArn"] if under_way else campaign["solutionVersionArn"])


@dataclass(frozen=True)
class FailedUpdate:
    """An update of a campaign that failed: it goes on serving what it served before."""

    version: str
    why: str
    at: datetime

    @classmethod
    def of(cls, campaign: Mapping[str, Any]) -> FailedUpdate | None:
        """Return the newest update of a campaign as it is described, where that failed."""
        update = campaign.get("latestCampaignUpdate") or {}
        if update.get("status") not in FAILED:
            return None
        why = str(update.get("failureReason") or update["status"])
        return cls(update["solutionVersionArn"], why, update["creationDateTime"])

    @property
    def told(self) -> str:
        return f"the update to it failed: {self.why}"

    def stops(self, pointer: ModelPointer, version: str) -> bool:
        """Tell whether no run is to try again: not where somebody has asked for it since then."""
        asked = pointer.version == version and pointer.at is not None
        anew = asked and datetime.fromisoformat(str(pointer.at)) > self.at
        return self.version == version and not anew


@dataclass(frozen=True)
class Served:
    """What a campaign serves, or batch jobs do."""

    version: str | None = None
    failed: FailedUpdate | None = None
    moved: datetime | None = None
    """When somebody asked for it last, or made the campaign."""

    @classmethod
    def of(cls, campaign: Mapping[str, Any], solution: str) -> Served:
        """Read a campaign as it is described; a version of another solution is none."""
        version, update = serving(campaign), campaign.get("latestCampaignUpdate") or {}
        own = version.rpartition("/")[0] == solution
        moved = update.get("creationDateTime") or campaign.get("creationDateTime")
        return cls(version if own else None, FailedUpdate.of(campaign), moved)

    def drifted(self, pointer: ModelPointer) -> bool:
        """Tell whether somebody moved it since its pointer was moved, and to another version.

        Where nobody has, a run or a person was stopped between the pointer and the campaign.
        """
        if not pointer.version or not pointer.at or not self.moved:
            return False
        if self.failed is not None and self.failed.version == pointer.version:
            return False
        at = datetime.fromisoformat(pointer.at).replace(microsecond=0)
        return pointer.left_by(self.version) and self.moved >= at


def judged(
    pointer: ModelPointer | None,
    *,
    live: str | None,
    newest: str,
    decision: Word | None,
    passes: bool,
    reason: str,
    at: str,
    failed: FailedUpdate | None = None,
) -> ModelPointer:
    """Return where a campaign's pointer is once the newest version has been judged.

    What the campaign serves (``live``) wins over what the ledger knew, unless that was rolled back
    and the campaign has not been moved yet. ``passes`` is the gate's own word, ``decision`` a
    person's on that version; ``failed`` is the campaign's newest update, where it failed.
    """
    known = pointer or ModelPointer()
    found = _as_served(known, live, at)
    if newest == found.version:
        return found.moved(newest, by=found.by, why=found.why, at=at)
    held = _held(found, newest, decision, passes=passes, reason=reason)
    if held is None and failed is not None and failed.stops(known, newest):
        held = failed.told
    if held is not None:
        return found.holding(newest, why=held, at=at)
    why = "approved" if decision == "approved" else reason
    return found.moved(newest, by=GATE, why=why, at=at)


def _as_served(pointer: ModelPointer, live: str | None, at: str) -> ModelPointer:
    if not pointer.left_by(live):
        return pointer
    return pointer.moved(str(live), by=SERVICE, why="the campaign served it", at=at)


def _held(
    pointer: ModelPointer, newest: str, decision: Word | None, *, passes: bool, reason: str
) -> str | None:
    """Say why the newest version may not be served, or None where it may."""
    if pointer.frozen is not None:
        return f"the campaign is frozen: {pointer.frozen}"
    if newest in pointer.barred:
        return "it was rolled back."
    if decision == "approved":
        return None
    if decision == "rejected":
        return "it was rejected."
    if decision == "expired":
        return "nobody decided in time, and its hold has expired."
    return None if passes else reason
