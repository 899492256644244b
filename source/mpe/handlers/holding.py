"""What is held ends by itself, where nobody decides in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.events import EventSink
from mpe.aws.ledger import Ledger
from mpe.model.gate.holding import HoldTerms, waiting
from mpe.model.gate.pointer import GATE, ModelPointer

MODEL_EXPIRED = "Personalize Model Expired"


@dataclass(frozen=True)
class Holding:
    """End holds through the ledger alone: no campaign moves, and so nobody's turn is needed."""

    ledger: Ledger
    events: EventSink
    clock: Clock
    stack: str
    """The name of the stack, which people are told."""

    def waits(self, group: str, pointer: ModelPointer) -> float | None:
        """Return for how many seconds a version has waited for a person, or None if none does."""
        since = waiting(pointer)
        if since is None or self.ledger.decision(group, str(pointer.held)):
            return None
        return self.clock.since(since)

    def expire(
        self, group: str, gate: Mapping[str, Any], pointers: Mapping[str, ModelPointer]
    ) -> None:
        """End the holds of a solution's campaigns, by their ids, that have lasted long enough.

        It is told before it is kept: who is killed in between tells it again, and a person's word
        that comes meanwhile stays.
        """
        terms = HoldTerms.of(gate)
        for pointer in pointers.values():
            waited = self.waits(group, pointer)
            if waited is None or waited < terms.expires:
                continue
            version = str(pointer.held)
            held = [id for id, one in pointers.items() if one.held == version]
            self.events.put(MODEL_EXPIRED, {**_detail(group, pointer, held), "Stack": self.stack})
            why = f"nobody decided within {terms.expires / 86_400:g} days: {pointer.reason}"
            now = self.clock.now().isoformat(timespec="milliseconds")
            self.ledger.expire(group, version, {"by": GATE, "why": why, "at": now})


def _detail(group: str, pointer: ModelPointer, campaigns: list[str]) -> dict[str, Any]:
    version = str(pointer.held)
    return {
        "DatasetGroup": group,
        "Status": "EXPIRED",
        "Solution": version.split("/")[-2],
        "Version": version,
        "Campaigns": sorted(one.rpartition(".")[2] for one in campaigns),
        "HeldSince": pointer.since,
        "Reason": pointer.reason,
    }
