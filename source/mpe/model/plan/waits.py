"""How long to wait before the next look at a resource.

The service tells nobody when a job is done, so every look costs a call and every second
between the end and the next look is lost. How long a job takes is a distribution, of what the same
job took before, else others of its type, else what is usual in public: logistic in the logarithm
of time, with a wider one beside it, since any memory may be wrong. The next look is where what a
wait costs in lateness and what a look is worth are even: where ``wait² × hazard = 2 × worth``, the
hazard being that of the wait's end, times the chance that nothing else is waited for. Far from
what is expected that is a wait of the root of what has passed, near it one of the root of its
spread; the density of looks is that of Keller (Optimum checking schedules for systems subject to
random failure, Management Science 21, 1974).

The same job is one of the same kind: an incremental import takes another time than a full one,
a start, a stop or an update another than the creation, and a training another by its recipe and
with HPO. ``benchmarks/durations.py`` tells what the law does on durations as they are in public.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from mpe.model.service.spec import ResourceSpec

FUNCTION_SECONDS = 60
"""How long a function that looks at a resource and acts on it may run: its timeout."""
SHORTEST = 5
"""The shortest wait for what is refused or not seen."""
LONGEST = 60
"""The longest wait where anything was learnt, unless it is a small part of what has passed."""
LATEST = 0.04
"""That part: no memory, however wrong, makes a job seen later than by so much of its time."""
EARLIEST = 0.003
"""The part of what has passed that a wait takes at least: so an execution's history has room for
what takes two days."""
EARLIEST_OF_MANY = 0.0045
"""The same for each of several that an execution looks at side by side."""
LOOK = 1
"""Seconds that a look itself may take of that."""
IN_LINE = 5 * LONGEST
"""The longest wait of who waits for a quota with few others."""
CROWD = 40
"""With more of one type than this, all looks are rarer by their number: so 200 batch jobs of a
solution have room in the history of its execution."""
CROWDED = 75
"""Seconds between two asks of a crowd that has waited long for a quota, all together."""
SLOWLY = 20
"""The same at first: most of a crowd must wait for many others."""
APART = 1 / 4
"""By which share of a wait at most those who wait for a quota ask apart."""
MOST = 60 * 60
"""The longest wait of all, so that a guess that is far too long costs an hour."""
WORTH = 0.54
"""Seconds of lateness that a look is worth at a job that nothing is known of."""
WORTH_WHERE_KNOWN = 0.25
"""The same where something is known: there are fewer looks to pay for."""
FULL_WORTH = 20 * 60
"""Seconds from which on a look is worth less, by the root: the job itself costs ever more."""
FIRST_SPREAD = 0.4
"""The standard deviation of the logarithm of what is usual in public, from account to account,
where a type has none of its own."""
OTHERS_SPREAD = 0.35
"""The same from one resource of a type to another, until some have been seen."""
OWN_SPREAD = 0.1
"""The same from one time to the next of the same resource."""
WIDE_SPREAD = 0.8
"""The same of a memory that is wrong, of :data:`DOUBT`, or of a guess that nobody has measured."""
DOUBT = 0.05
"""The chance that a memory or a guess is wrong."""
BELIEVED = 2
"""How many jobs a spread counts for that is assumed."""
KEPT = 8
"""How many durations of one kind of work are kept, the newest."""
ENOUGH = 3
"""From how many durations on a memory tells whether one of them is an outlier."""
LIKE = 2
"""Up to how much longer than the shortest a duration may be and none is an outlier."""
SIDE_BY_SIDE = 5
"""How many resources an execution may look at side by side as often as the law says: more of them
look less often each, since an execution's history has 25,000 events and a look takes nine
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
TOGETHER = 4
"""Of how many at most it is reckoned that theirs is seldom the last end."""
SELDOM = 0.05
"""The least chance that one of them is the last, since what is expected may be wrong."""
CREATED = "created"
"""The kind of work that makes all of a resource."""
VISIBLE_WITHIN = 5 * 60
"""Seconds for which what a run made, changed or needs may be missing before it is held to be gone.

The service promises nothing of how soon its reads follow its writes. Looking ever
less often, for about five minutes, is what AWS advises for EC2, which promises nothing either
(https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html).
"""
KNOWN_WITHIN = 60 * 60
"""The same for a status that nobody knows: longer, since it may be of something under way."""
PART = 1 / 4
"""The share of a creation's usual duration that stands in for all other kinds of work."""
SCALE = math.pi / math.sqrt(3)
"""A logistic distribution's standard deviation, of scale 1."""


@dataclass(frozen=True)
class Expected:
    """What is known of how long a piece of work takes, in seconds."""

    usual: float
    """What its type usually takes in public."""
    own: Sequence[float] = ()
    """What the same work took at this very resource, the newest last."""
    others: Sequence[float] = ()
    """What it took at resources of its type in this account, the newest last."""
    spread: float = FIRST_SPREAD
    """How far what is usual may be off: a standard deviation of the logarithm."""

    @property
    def learnt(self) -> Sequence[float]:
        return self.own or self.others

    @property
    def likely(self) -> float:
        """Return the duration in the middle of what it may be."""
        return median(self.learnt or (self.usual,))


def kind_of_creation(spec: ResourceSpec, params: Mapping[str, Any], variant: str = "") -> str:
    """Return the kind of work that a creation is, by what it is created with."""
    mode = params.get(spec.mode) if spec.mode else None
    kind = f"{CREATED} {mode}" if mode and mode != "FULL" else CREATED
    return f"{kind} ({variant})" if variant else kind


def _all_of_it(kind: str) -> bool:
    """Tell whether work of a kind makes all of a resource, whatever it is trained with."""
    return kind.partition(" (")[0] == CREATED


def variant_of(trained_with: Mapping[str, Any]) -> str:
    """Return how a model is trained, from a solution's or recommender's parameters."""
    recipe = str(trained_with.get("recipeArn", "")).rpartition("/")[2]
    flags = {"performHPO": "HPO", "performAutoML": "AutoML"}
    return " ".join(filter(None, (recipe, *(flags[one] for one in flags if trained_with.get(one)))))


def typical(spec: ResourceSpec, kind: str) -> float:
    """Return how many seconds work of a kind usually takes, before any was done."""
    return spec.typical_seconds * (1 if _all_of_it(kind) else PART)


def expected(
    spec: ResourceSpec, kind: str, own: Sequence[float] = (), others: Sequence[float] = ()
) -> Expected:
    """Return what is expected of a kind of work, with what was learnt of it."""
    spread = (spec.typical_spread or FIRST_SPREAD) if _all_of_it(kind) else WIDE_SPREAD
    return Expected(typical(spec, kind), tuple(own), tuple(others), spread)


def remembered(before: Sequence[float], seconds: float) -> tuple[float, ...]:
    """Return what is kept of durations, once work took so many seconds more."""
    return (*before, round(seconds, 1))[-KEPT:]


def next_wait(elapsed: float, expected: Expected, *, siblings: int = 1, together: int = 1) -> int:
    """Return whole seconds to wait, from the seconds elapsed and what is expected.

    ``siblings`` is how many of its type the same execution looks at side by side, and ``together``
    how many must all be done before anything goes on: an end that is not the last of them matters
    to nobody.
    """
    wait = _worth_its_lateness(elapsed, expected, together)
    earliest = EARLIEST if siblings == 1 else EARLIEST_OF_MANY * siblings
    wait = max(wait, elapsed * earliest, 2 * siblings if siblings > SIDE_BY_SIDE else 0)
    learnt = expected.learnt
    if learnt and elapsed + wait > _quiet(learnt):
        latest = max(LONGEST, elapsed * LATEST) - LOOK
        crowded = max(1.0, siblings / SIDE_BY_SIDE)
        wait = max(min(wait, latest * crowded), _quiet(learnt) - elapsed)
    return min(max(round(wait), 1), MOST)


def until_seen(missing: float) -> int:
    """Return whole seconds until the next look at what has been missing for so many seconds."""
    return max(SHORTEST, math.ceil(missing / 2))


def in_line(waited: float, siblings: int, who: str) -> int:
    """Return whole seconds until who waits for a quota asks again, by how long it has waited.

    All of one execution, the ``siblings``, ask once a minute together when they have waited long,
    so that their number does not fill its history: Step Functions keeps 25,000 events
    (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). Once
    they have waited they ask at moments of their own, also those of other dataset groups, whose
    schedules may fire together: what is freed lies idle until somebody asks
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    crowd = siblings > CROWD
    most = max(IN_LINE, (CROWDED if crowd else LONGEST) * siblings)
    drawn = int.from_bytes(hashlib.sha256(who.encode()).digest()[:2]) / 0xFFFF
    seconds = max(SLOWLY * siblings if crowd else SHORTEST, min(waited, most))
    return max(SHORTEST, round(seconds * (1 - drawn * APART)))


def _quiet(learnt: Sequence[float]) -> float:
    """Return for how long nothing is looked for: half the shortest, where none is an outlier."""
    shortest = max(min(learnt), 1.0)
    return shortest / 2 if len(learnt) >= ENOUGH and max(learnt) <= LIKE * shortest else 0.0


Part = tuple[float, float, float]
"""A distribution's weight, its median in seconds, and the inverse of its scale."""


def _parts(expected: Expected) -> tuple[Part, Part]:
    """Return the distribution of a duration: what is believed, and that it may be all wrong."""
    learnt = expected.learnt
    logs = [math.log(max(one, 1.0)) for one in learnt or (expected.usual,)]
    middle = median(logs)
    spread = expected.spread
    if learnt:
        assumed = OWN_SPREAD if expected.own else OTHERS_SPREAD
        seen = 1.48 * median(abs(one - middle) for one in logs)  # as a standard deviation
        count = len(logs)
        variance = (BELIEVED * assumed**2 + count * seen**2) / (BELIEVED + count)
        spread = math.sqrt(variance * (1 + 1 / count))
    seconds = math.exp(middle)
    return (1 - DOUBT, seconds, SCALE / spread), (DOUBT, seconds, SCALE / WIDE_SPREAD)


def _chances(at: float, parts: Sequence[Part]) -> tuple[float, float]:
    """Return the density of an end, by the second, and the chance that it has not been before."""
    density = left = 0.0
    for weight, seconds, sharpness in parts:
        odds = math.exp(min(sharpness * math.log(seconds / at), 600.0))
        survives = odds / (1 + odds)
        density += weight * sharpness * survives / (1 + odds)
        left += weight * survives
    return density / at, left


def _worth_its_lateness(elapsed: float, expected: Expected, together: int) -> float:
    """Return the shortest wait by whose end another second of it costs more than a look."""
    worth = WORTH_WHERE_KNOWN if expected.own else WORTH
    parts = _parts(expected)
    others = 0 if expected.own else min(together, TOGETHER) - 1

    def enough(wait: float) -> bool:
        at = elapsed + wait
        density, left = _chances(at, parts)
        last = max((1 - left) ** others, SELDOM)
        look = worth * min(1.0, math.sqrt(FULL_WORTH / at))
        return wait * wait * density / left * last >= 2 * look

    short, long = 0.0, 1.0
    while long < MOST and not enough(long):
        short, long = long, long * 1.5
    for _ in range(6):
        middle = (short + long) / 2
        short, long = (short, middle) if enough(middle) else (middle, long)
    return long
