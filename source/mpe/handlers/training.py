"""Data is judged once more before a model is trained on it in full: that is what costs most.

Nothing is counted again: what the newest import of each dataset was like is kept. Meanwhile another
version may have become live, or the config has come to hold what it only observed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.handlers.importing import imported, live_data
from mpe.model.errors import TrainingHeld
from mpe.model.gate.data import DataLimits, judge_data
from mpe.model.gate.versions import said
from mpe.model.plan.desired import INTERACTIONS_IMPORT, Desired
from mpe.model.rules.gate import NOT_PROFILED
from mpe.model.service.profile import of_document

UNJUDGED = "its data was not judged again: "
LET_IN = "its data fails the gate, and was let in: "
TOLD = (UNJUDGED, LET_IN)
"""What begins what is told of the data of a training."""


@dataclass(frozen=True)
class Training:
    """Judge what a training is about to use through the ledger alone."""

    ledger: Ledger
    clock: Clock

    def __call__(self, group: str, imports: Sequence[Desired]) -> str | None:
        """Return what is to be told of the data of a training, or raise TrainingHeld.

        Only where imports are held as well: with ``observe`` all was told when they began.
        """
        told, held = list[str](), list[str]()
        for desired in imports:
            if desired.gate.get("mode") not in {"hold", "approve"}:
                continue
            row = self._newest(group, desired.id)
            if row is None:
                told.extend(_unknown(desired.id))
                continue
            kind = desired.id.partition(".")[2]
            reasons = self._broken(group, desired, kind, row)
            accepted = self.ledger.accepted(group, desired.id)
            if reasons and accepted is not None and accepted["data"] == row["data"]:
                told.append(f"{LET_IN}{kind} by {accepted['by']}: {accepted['why']}")
            elif reasons:
                held.append(f"{kind}: {reasons}")
        if held:
            raise TrainingHeld(" ".join(held))
        return " ".join(told) or None

    def _newest(self, group: str, dataset: str) -> dict[str, Any] | None:
        """Return what the newest FULL import of a dataset was like, or None where nobody knows."""
        rows = imported(self.ledger, group, dataset, full=True)
        newest, judged = rows[-1] if rows else None, self.ledger.data_verdict(group, dataset)
        if newest is None or judged is None or judged["at"] <= newest["at"]:
            return newest
        uncounted = any(one["rule"] == NOT_PROFILED.id for one in judged["reasons"])
        return None if uncounted else newest

    def _broken(self, group: str, desired: Desired, kind: str, row: dict[str, Any]) -> str:
        """Say what an import breaks by now, and keep that for who lets it in.

        How old its newest event is does not count: events may have come since then by themselves.
        """
        try:
            profile = of_document(json.loads(row["profile"]))
        except ValueError:  # of another release
            return ""
        limits = DataLimits.of(desired.gate.get("data", {}))
        live = live_data(self.ledger, group, desired.id)
        verdict = judge_data(limits, kind, profile, live=live, now=None)
        if verdict.word != "hold":
            return ""
        at = self.clock.now().isoformat()
        kept = {**verdict.as_dict(), "job": "training", "data": row["data"], "at": at}
        self.ledger.note_data(group, desired.id, kept)
        return " ".join(said(kept))


def _unknown(dataset: str) -> Iterator[str]:
    """Say that nothing is known of interactions; other datasets need not be there."""
    if dataset == INTERACTIONS_IMPORT:
        yield f"{UNJUDGED}no import of the interactions has been counted."
