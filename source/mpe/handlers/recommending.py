"""What the service tells of how good a recommender's model is, kept and judged; nothing is held.

A recommender has no versions: the service trains it by itself and serves what came of it
(https://docs.aws.amazon.com/personalize/latest/dg/creating-recommenders.html). Each look compares
its ``modelMetrics`` with those before
(https://docs.aws.amazon.com/personalize/latest/dg/evaluating-recommenders.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.events import EventSink
from mpe.aws.ledger import Ledger
from mpe.aws.personalize import Missing, Personalize
from mpe.handlers.gauges import Gauges
from mpe.model.gate.terms import Gate
from mpe.model.gate.verdict import Verdict, judge
from mpe.model.gate.versions import Version, said
from mpe.model.plan.desired import Desired

RECOMMENDER_JUDGED = "Personalize Recommender Judged"
KEPT = 20
"""How many of its models are remembered, the newest last."""


@dataclass(frozen=True)
class Recommending:
    """Keep and judge through the ledger."""

    ledger: Ledger
    events: EventSink
    gauges: Gauges
    clock: Clock

    def __call__(
        self, group: str, desired: Desired, arn: str, metrics: Mapping[str, float]
    ) -> None:
        """Keep and tell the metrics of a recommender where they are others than before."""
        if not metrics or not desired.gate:
            return
        before = self.ledger.measured(group, desired.name)
        if before is not None and before["metrics"] == metrics:
            return
        verdict = _verdict(desired, arn, metrics, before)
        history = [*(before["history"] if before else ()), dict(metrics)][-KEPT:]
        at = self.clock.now().isoformat(timespec="seconds")
        row = {**verdict.as_dict(), "metrics": dict(metrics), "history": history, "at": at}
        self.events.put(RECOMMENDER_JUDGED, _detail(group, desired.name, arn, row))
        self.gauges.recommender(group, desired.name, metrics, doubted=verdict.word == "hold")
        self.ledger.note_measured(group, desired.name, row)


@dataclass(frozen=True)
class Recommended:
    """Look at recommenders between runs, since the service trains them whenever it likes."""

    personalize: Personalize
    recommending: Recommending

    def __call__(self, group: str, desired: Desired) -> None:
        """Judge one where it is there and its metrics are others than before."""
        if not desired.gate:
            return
        try:
            found = self.personalize.described(desired.spec, str(desired.arn))
        except Missing:
            return
        self.recommending(group, desired, str(desired.arn), found.get("modelMetrics") or {})


def _verdict(
    desired: Desired, arn: str, metrics: Mapping[str, float], before: Mapping[str, Any] | None
) -> Verdict:
    """Judge its model as a version is, by those metrics of the group's gate that it has."""
    gate = Gate.of(desired.gate)
    if gate.metrics is not None:
        known = {name: one for name, one in gate.metrics.items() if name in metrics}
        gate = replace(gate, metrics=known)
    history = [Version(arn, one) for one in before["history"]] if before else []
    return judge(
        gate, Version(arn, metrics), live=history[-1] if history else None, history=history
    )


def _detail(group: str, name: str, arn: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "DatasetGroup": group,
        "Recommender": name,
        "Arn": arn,
        "Verdict": row["word"],
        "Metrics": row["metrics"],
        "Reasons": said(row),
    }
