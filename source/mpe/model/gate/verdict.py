"""Whether a version is good enough to be served: purely, from numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Any, Literal

from mpe.model.gate.terms import Gate, Limits
from mpe.model.gate.versions import Version, headline, share_of_change, short, spoken_change
from mpe.model.rules import gate as rules

Word = Literal["pass", "hold", "inconclusive"]
NOISE = 1.645
"""One in twenty equally good versions is further below, were the changes normal."""
OF_MAD = 1.4826
"""The median absolute deviation of normal values, times this, is their standard deviation
(https://en.wikipedia.org/wiki/Median_absolute_deviation)."""
LEAST, MOST = 0.1, 0.5
"""The tolerance is never smaller; where the noise asks for a larger one, nothing can be said."""
ENOUGH = 6
"""How many versions of a solution tell how much its metrics vary."""
SPREAD = 1.75
"""The standard deviation of a ranking's metric over users, as a share of its mean: until a
solution's own versions tell, as it was measured on films with this project's own trainer."""
TESTED = 10
"""The service tests on one in so many of the users who have two interactions or more
(https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html)."""


@dataclass(frozen=True)
class Reason:
    """What one rule found: its value beside its limit."""

    rule: str
    told: str
    metric: str = ""
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What is thought of a version, and why."""

    word: Word
    reasons: tuple[Reason, ...] = ()
    """Of a hold what broke; of an inconclusive one what could not be judged."""
    notes: tuple[str, ...] = ()
    """Which rules were passed over, and why."""

    def as_dict(self) -> dict[str, Any]:
        reasons = [{k: v for k, v in asdict(one).items() if v is not None} for one in self.reasons]
        return {"word": self.word, "reasons": reasons, "notes": list(self.notes)}


def judge(
    gate: Gate,
    challenger: Version,
    *,
    live: Version | None,
    history: Sequence[Version] = (),
    baseline: Version | None = None,
) -> Verdict:
    """Return what is thought of a version that is trained, against the one that is live.

    ``live`` is None for a first version, which is held to what needs no other. ``history`` are the
    versions of its solution, oldest first. It is total: what is missing makes it inconclusive.
    """
    if challenger.mode == "UPDATE":
        return Verdict("pass", notes=("An UPDATE training is not judged by its metrics.",))
    if not challenger.metrics:
        return Verdict("inconclusive", (Reason(rules.NO_METRICS.id, "it has no metrics."),))
    notes = tuple(_passed_over(challenger, live))
    compared = live if live and not notes else None
    found = [*_all(gate, challenger, compared, history), *_lift(gate, challenger, baseline)]
    broken = tuple(reason for word, reason in found if word == "hold")
    unclear = tuple(reason for word, reason in found if word == "inconclusive")
    if broken:
        return Verdict("hold", broken, notes)
    return Verdict("inconclusive" if unclear else "pass", unclear, notes)


Found = tuple[Word, Reason]


def _all(
    gate: Gate, challenger: Version, live: Version | None, history: Sequence[Version]
) -> Iterator[Found]:
    if live is not None and not live.metrics:
        yield "inconclusive", Reason(rules.NO_METRICS.id, "no metrics of the live one are known.")
    for name, limits in gate.limits(challenger.metrics).items():
        value = challenger.metrics.get(name)
        if value is None:
            yield "inconclusive", Reason(rules.NO_METRICS.id, f"it has no {name}.", name)
            continue
        before = live.metrics.get(name) if live else None
        noise = tolerance(name, history, challenger.tested)
        yield from _one(name, value, limits, before, noise)


def _one(
    name: str, value: float, limits: Limits, before: float | None, noise: float | None
) -> Iterator[Found]:
    """Hold one metric to its limits, those against another's where there is another's."""
    if limits.at_least is not None and value < limits.at_least:
        told = f"{short(name)} is {value:.4f}, and at least {limits.at_least:.4f} is wanted."
        yield "hold", Reason(rules.AT_LEAST.id, told, name, value, limits.at_least)
    moved = share_of_change(value, before)
    if moved is None:
        return
    told = f"{short(name)} is {value:.4f}, {spoken_change(moved)} against the live one's"
    if limits.not_above is not None and moved > limits.not_above:
        most = spoken_change(limits.not_above)
        wanted = f"{told}; more than {most} speaks of lost data, or of a leak."
        yield "hold", Reason(rules.NOT_ABOVE.id, wanted, name, moved, limits.not_above)
    below = limits.not_below
    if isinstance(below, str):
        yield from _by_noise(name, told, moved, noise)
    elif below is not None and moved < below:
        wanted = f"{told}; down to {spoken_change(below)} would be well."
        yield "hold", Reason(rules.NOT_BELOW.id, wanted, name, moved, below)


def _by_noise(name: str, told: str, moved: float, noise: float | None) -> Iterator[Found]:
    """Hold a metric to what it varies by from one version of its solution to the next."""
    if noise is None:
        if moved < -LEAST:
            few = (
                f"{told}; what is noise is known from {ENOUGH} versions on, or once the data of an "
                "import was counted."
            )
            yield "inconclusive", Reason(rules.NOT_BELOW.id, few, name, moved)
    elif noise > MOST:
        much = f"{told}; it varies by {noise:.0%} from version to version, which says nothing."
        yield "inconclusive", Reason(rules.NOT_BELOW.id, much, name, moved, -noise)
    elif moved < -noise:
        worse = f"{told}; down to {spoken_change(-noise)} would be noise."
        yield "hold", Reason(rules.NOT_BELOW.id, worse, name, moved, -noise)


def tolerance(metric: str, history: Sequence[Version], tested: int | None = None) -> float | None:
    """Return which share of a metric is noise, or None where too little is known.

    That is 1.645 times the standard deviation of the relative changes from version to version,
    estimated by the median absolute deviation, which a few real losses do not move. Before
    :data:`ENOUGH` versions are known it is that of the difference of two means over as many users
    as there were to test on, of whom ``tested`` were to choose from.
    """
    values = [one.metrics[metric] for one in history if metric in one.metrics]
    pairs = pairwise(values)
    changes = [new / old - 1 for old, new in pairs if old]
    if len(values) < ENOUGH or not changes:
        return _of_users(tested)
    middle = median(changes)
    return max(LEAST, NOISE * OF_MAD * median(abs(one - middle) for one in changes))


def _of_users(tested: int | None) -> float | None:
    """Return the noise of two models that are each tested on a tenth of so many users."""
    if not tested:
        return None
    return max(LEAST, NOISE * sqrt(2) * SPREAD / sqrt(tested / TESTED))


def _passed_over(challenger: Version, live: Version | None) -> Iterator[str]:
    """Say why versions cannot be compared, where they are of different making."""
    if live is None:
        yield "There is no live version to compare it with."
    elif live.mode != challenger.mode:
        yield f"The live one was trained {live.mode}, so they are not compared."
    elif live.setup and challenger.setup and live.setup != challenger.setup:
        yield "The live one was trained with other settings, so they are not compared."


def _lift(gate: Gate, challenger: Version, baseline: Version | None) -> Iterator[Found]:
    """Hold it to a multiple of a simple model's metric, as the guide recommends."""
    if gate.baseline is None:
        return
    name = headline(challenger.metrics)
    against = baseline.metrics.get(name) if baseline and name else None
    if not name or not against:
        told = f"no version of {gate.baseline} has a metric to compare with."
        yield "inconclusive", Reason(rules.BASELINE.id, told)
        return
    ratio = challenger.metrics[name] / against
    if ratio < gate.lift:
        told = f"{short(name)} is {ratio:.2f} times {gate.baseline}'s; {gate.lift:g} are wanted."
        yield "hold", Reason(rules.BASELINE.id, told, name, ratio, gate.lift)


def promotes(gate: Gate, verdict: Verdict | Mapping[str, Any]) -> bool:
    """Tell whether the gate itself lets a version be served, without a person's word."""
    word = verdict.word if isinstance(verdict, Verdict) else verdict["word"]
    return gate.mode in {"off", "observe"} or (gate.mode == "hold" and word != "hold")
