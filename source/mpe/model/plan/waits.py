"""How long to wait before the next look at a resource.

The service tells nobody when a job is done, so every look costs a call and every second
between the end and the next look is lost. What the same job took before is the best guess
of its end: wait until shortly before it in one go, then look often. The first time, what
others of its type took stands in, or the type's usual duration; since that may be far off,
each look halves what is left of it.

The same job is one of the same kind: an incremental import takes another time than a full one,
and a start, a stop or an update another than the creation.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from mpe.model.service.spec import ResourceSpec

FUNCTION_SECONDS = 60
"""How long a function that looks at a resource and acts on it may run: its timeout."""
SHORTEST = 5
LONGEST = 60
"""The longest wait between looks at what is late, unless it is very long itself."""
IN_LINE = 5 * LONGEST
"""The longest wait of who waits for a quota with few others."""
FEW = 5
"""How many of one type may work without a look at one being put off for the others."""
EACH = 10
"""Seconds by which each of more puts off a look at the others, at most."""
CROWD = 40
"""With more of one type than this, all looks are rarer by their number: so 200 batch jobs of a
solution have room in the history of its execution."""
CROWDED = 150
"""Seconds between two asks of a crowd that waits for a quota, all together."""
APART = 1 / 4
"""By which share of a wait at most those who wait together ask apart."""
NEAREST = 1 / 20
"""The share of a guessed duration that is not halved any more."""
MARGIN = 0.02
"""How much shorter than the last time a job may be, as a share, and still be seen at once."""
LATENESS = 1 / 4
"""The share of a delay by which its end may be seen late."""
MOST = 60 * 60
"""The longest wait of all, so that an expectation that is far too long costs an hour: a job of
a day is looked at two dozen times for it."""
CREATED = "created"
"""The kind of work that makes all of a resource."""
VISIBLE_WITHIN = 5 * 60
"""Seconds for which what a run made or changed may be missing before it is held to be deleted.

The service promises nothing of how soon its reads follow its writes. Looking ever
less often, for about five minutes, is what AWS advises for EC2, which promises nothing either
(https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html).
"""
KNOWN_WITHIN = 60 * 60
"""The same for a status that nobody knows: longer, since it may be of something under way."""
PART = 1 / 4
"""The share of a creation's usual duration that stands in for all other kinds of work."""


def kind_of_creation(spec: ResourceSpec, params: Mapping[str, Any]) -> str:
    """Return the kind of work that a creation is, by what it is created with."""
    mode = params.get(spec.mode) if spec.mode else None
    return f"{CREATED} {mode}" if mode and mode != "FULL" else CREATED


def typical(spec: ResourceSpec, kind: str) -> float:
    """Return how many seconds work of a kind usually takes, before any was done."""
    return spec.typical_seconds * (1 if kind == CREATED else PART)


def next_wait(elapsed: float, *, usual: float, known: float | None) -> int:
    """Return whole seconds to wait, from seconds elapsed and expected.

    ``usual`` is the type's typical duration and ``known`` what the same work took at this
    very resource the last time, or None where it is new.
    """
    if known is None:
        if elapsed < usual:
            step = _guessed(elapsed, usual)
        else:
            step = _late(elapsed - usual, usual / 60, usual)
        return min(max(math.ceil(step), SHORTEST), MOST)
    if elapsed < known:
        step = _known(elapsed, known)
    else:
        step = _late(elapsed - known, max(known / 200, min(SHORTEST, known / 4)), known)
    return min(max(math.ceil(step), 1), MOST)


def until_seen(missing: float) -> int:
    """Return whole seconds until the next look at what has been missing for so many seconds."""
    return max(SHORTEST, math.ceil(missing / 2))


def among(seconds: int, elapsed: float, siblings: int) -> int:
    """Return whole seconds until the next look at one of many, which share a history.

    What takes long is looked at less often there: a tenth of its time later, and of a crowd a
    share that grows with it.
    """
    if siblings <= FEW:
        return seconds
    least = 2 * siblings if siblings > CROWD else 0
    share = max(siblings / CROWD, 1) / 10
    return max(seconds, least, round(min(elapsed * share, EACH * siblings)))


def in_line(waited: float, siblings: int, resource: str) -> int:
    """Return whole seconds until who waits for a quota asks again, by how long it has waited.

    All of one execution, the ``siblings``, ask once a minute together when they have waited long,
    so that their number does not fill its history: Step Functions keeps 25,000 events
    (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). They do not ask
    at the same moment: what is freed is taken up by whichever asks next.
    """
    crowd = siblings > CROWD
    most = max(IN_LINE, (CROWDED if crowd else LONGEST) * siblings)
    part = int.from_bytes(hashlib.sha256(resource.encode()).digest()[:2]) / 0xFFFF
    apart = 1 - part * APART if siblings > 1 else 1
    return round(max(10 * siblings if crowd else SHORTEST, min(waited, most)) * apart)


def _guessed(elapsed: float, expected: float) -> float:
    """Halve what is left, until so little is left that its end may be waited for."""
    half = (expected - elapsed) / 2
    return half if half >= max(expected * NEAREST, SHORTEST) else 2 * half


def _known(elapsed: float, expected: float) -> float:
    """Look a little before the end, where a little is worth a look, and at the end."""
    margin = expected * MARGIN
    early = expected - margin - elapsed
    return early if early > 0 and margin >= SHORTEST else expected - elapsed


def _late(late: float, precision: float, expected: float) -> float:
    """Look the less often the later it gets."""
    return min(max(late * LATENESS, precision), max(LONGEST, expected / 30))
