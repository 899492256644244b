"""Whether a campaign does well once it has moved: purely, from what CloudWatch counted of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mpe.model.gate.verdict import Reason, Verdict, Word
from mpe.model.rules import gate as rules
from mpe.model.service.recipes import PERSONALIZED_ACTIONS, PERSONALIZED_RANKING
from mpe.model.service.schedules import seconds

LEAST = 100
"""Of fewer requests than these neither a share of errors nor an average tells anything."""
LATE = 15 * 60
"""Seconds after which CloudWatch has counted what happened, so that a watch may end."""
TOO_LATE = 60 * 60
"""Seconds after a watch within which it may still take a campaign back."""
LONGEST = 7 * 86_400
"""Seconds that a campaign may be watched for: CloudWatch keeps minutes for 15 days
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html)."""
UNMEASURED = frozenset({PERSONALIZED_ACTIONS})
"""The types of recipes of whose requests the guide names no metrics."""


@dataclass(frozen=True)
class WatchTerms:
    """How long a campaign is watched, and what it is held to meanwhile."""

    seconds: int = 7_200
    errors: float | None = 0.01
    """The share of requests that may end in an error of the service."""
    latency: float | None = None
    """Seconds that answers may take on the average; None where nobody asks."""
    alarms: tuple[str, ...] = ()
    roll_back: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> WatchTerms:
        """Read the ``watch`` of a gate that has been checked."""
        usual = cls()
        return cls(
            seconds(given.get("for", "")) or usual.seconds,
            given.get("errors5xx", usual.errors),
            seconds(given["latency"]) if given.get("latency") else None,
            tuple(given.get("alarms", ())),
            given.get("rollBack", usual.roll_back),
        )


@dataclass(frozen=True)
class Traffic:
    """What a campaign was asked in some time, as CloudWatch counted it."""

    answered: float = 0.0
    refused: float = 0.0
    """Requests that were wrong themselves."""
    failed: float = 0.0
    """Requests that ended in an error of the service."""
    latency: float | None = None
    """Seconds that answers took on the average."""

    @property
    def requests(self) -> float:
        return self.answered + self.refused + self.failed


@dataclass(frozen=True)
class Alarm:
    """An alarm of CloudWatch, and since when it is in its state."""

    name: str
    state: str
    since: datetime


def requests_of(recipe: str) -> str | None:
    """Return the operation whose metrics count a campaign's requests, or None where none do.

    They bear its name, with ``4xxErrors``, ``5xxErrors`` and ``Latency``, which is in
    milliseconds, and the dimension ``CampaignArn``
    (https://docs.aws.amazon.com/personalize/latest/dg/cloudwatch-metrics.html).
    """
    if recipe in UNMEASURED:
        return None
    return "GetPersonalizedRanking" if recipe == PERSONALIZED_RANKING else "GetRecommendations"


def summed(counts: Mapping[str, Mapping[datetime, float]], operation: str) -> Traffic:
    """Return the traffic of an operation from its metrics, minute by minute.

    The average of a minute counts by how many were answered in it.
    """
    answered, took = counts.get(operation, {}), counts.get(f"{operation}Latency", {})
    known = {minute: answered.get(minute, 0.0) for minute in took}
    weight = sum(known.values())
    spent = sum(took[minute] * number for minute, number in known.items())
    return Traffic(
        sum(answered.values()),
        sum(counts.get(f"{operation}4xxErrors", {}).values()),
        sum(counts.get(f"{operation}5xxErrors", {}).values()),
        spent / weight / 1000 if weight else None,
    )


def judge_watch(
    terms: WatchTerms, traffic: Traffic, alarms: Sequence[Alarm], began: datetime
) -> Verdict:
    """Return what is thought of a campaign that is watched; it is total.

    What is not known never breaks a limit, and is noted. An alarm counts that went off after the
    campaign had moved (``began``): one that was off before tells nothing of the move.
    """
    found = [*_failures(terms, traffic), *_slow(terms, traffic), *_alarmed(terms, alarms, began)]
    broken = tuple(reason for _, reason in found)
    if broken:
        return Verdict("hold", broken)
    notes = [f"There is no alarm {one}." for one in _unknown(terms, alarms)]
    if traffic.requests < LEAST and (terms.errors is not None or terms.latency is not None):
        notes.append(f"It had {traffic.requests:.0f} requests; of {LEAST} something can be said.")
    return Verdict("inconclusive" if notes else "pass", notes=tuple(notes))


Found = tuple[Word, Reason]


def _failures(terms: WatchTerms, traffic: Traffic) -> Iterator[Found]:
    if terms.errors is None or traffic.requests < LEAST:
        return
    share = traffic.failed / traffic.requests
    if share > terms.errors:
        told = f"{share:.1%} of {traffic.requests:,.0f} requests ended in an error of the service"
        limit = f"{terms.errors:.1%} may."
        yield "hold", Reason(rules.FAILING.id, f"{told}; {limit}", "5xx", share, terms.errors)


def _slow(terms: WatchTerms, traffic: Traffic) -> Iterator[Found]:
    if terms.latency is None or traffic.latency is None or traffic.requests < LEAST:
        return
    if traffic.latency > terms.latency:
        told = f"its answers take {traffic.latency:.2f} s on the average; {terms.latency:g} s may"
        yield (
            "hold",
            Reason(rules.SLOW_SINCE.id, f"{told} pass.", "latency", traffic.latency, terms.latency),
        )


def _alarmed(terms: WatchTerms, alarms: Sequence[Alarm], began: datetime) -> Iterator[Found]:
    for one in alarms:
        if one.name in terms.alarms and one.state == "ALARM" and one.since >= began:
            at = one.since.isoformat(timespec="seconds")
            yield "hold", Reason(rules.ALARMED.id, f"the alarm {one.name} went off at {at}.")


def _unknown(terms: WatchTerms, alarms: Sequence[Alarm]) -> list[str]:
    known = {one.name for one in alarms}
    return [name for name in terms.alarms if name not in known]
