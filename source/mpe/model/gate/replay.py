"""What a gate would have said of the versions that there are, so that its limits rest on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mpe.model.gate.terms import Gate
from mpe.model.gate.verdict import Verdict, judge
from mpe.model.gate.versions import Version


@dataclass(frozen=True)
class Replayed:
    """One version, what it was compared with, and what would have been thought of it."""

    version: Version
    live: Version | None
    verdict: Verdict
    served: bool
    """Whether a campaign would have moved to it; one that waits for a person who approves does."""


def replay(
    gate: Gate, versions: Sequence[Version], baseline: Sequence[Version] = ()
) -> Iterator[Replayed]:
    """Yield each version of a solution in the order in which they were trained.

    Each is compared with the newest before it that would have been served; with ``observe`` and
    ``off`` that is the one before it. ``baseline`` are the versions of the gate's other solution,
    of which the newest by then counts. It starts without a live version.
    """
    live: Version | None = None
    history: list[Version] = []
    holds = gate.mode in {"hold", "approve"}
    for version in sorted(versions, key=_created):
        simple = [one for one in baseline if _created(one) <= _created(version)]
        newest = max(simple, key=_created, default=None)
        verdict = judge(gate, version, live=live, history=history, baseline=newest)
        served = not holds or verdict.word != "hold"
        yield Replayed(version, live, verdict, served)
        live = version if served else live
        history.append(version)


def _created(version: Version) -> str:
    return version.created or ""
