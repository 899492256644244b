"""How long a version is held, and how old a live one may be: purely, from pointers and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from mpe.model.gate.pointer import ModelPointer
from mpe.model.service import schedules

EXPIRES = 3 * 86_400
"""Seconds after which a hold ends where nobody has decided, unless the config says otherwise."""
LONG = 86_400
"""Seconds after which a hold is told by an alarm."""
SOME = 8
"""How many trainings of a schedule tell how far apart they are: a week of weekdays, and one."""


@dataclass(frozen=True)
class HoldTerms:
    """When a hold ends by itself."""

    expires: int = EXPIRES
    """Seconds."""

    @classmethod
    def of(cls, gate: Mapping[str, Any]) -> HoldTerms:
        """Read the ``hold`` of a gate that has been checked."""
        given = gate.get("hold") or {}
        return cls(schedules.seconds(str(given.get("expires", ""))) or EXPIRES)


def waiting(pointer: ModelPointer) -> datetime | None:
    """Return since when a campaign's newest version waits for a person, or None where none does.

    What was rolled back, or is newer than a campaign that is frozen, waits for nobody.
    """
    waits = pointer.held is not None and pointer.held not in pointer.barred
    if not waits or pointer.frozen is not None or pointer.since is None:
        return None
    return datetime.fromisoformat(pointer.since)


def too_old(created: datetime, age: float, expression: str, zone: str) -> bool:
    """Tell whether a live version of an age in seconds is twice as old as its schedule lets it be.

    That is twice the longest time between two trainings, so that a weekend makes none old.
    """
    fires = schedules.parse(expression).fires(created, schedules.zone(zone))
    apart = [later - earlier for earlier, later in pairwise(islice(fires, SOME))]
    return bool(apart) and age > 2 * max(apart) / timedelta(seconds=1)
