"""How long to wait before the next look at a resource.

The service tells nobody when a job is done, so every look costs a call and every second
between the end and the next look is lost. What the same job took before is the best guess
of its end: wait until then in one go, then look often. The first time, the type's usual
duration stands in, with a few earlier looks since it may be far off.
"""

from __future__ import annotations

import math

SHORTEST = 5
LONGEST = 60
FIRST_LOOKS = 3
"""How many looks an unknown duration gets before its usual end."""


def next_wait(elapsed: float, *, usual: float, known: float | None) -> int:
    """Return whole seconds to wait, from seconds elapsed and expected.

    ``usual`` is the type's typical duration and ``known`` what this very resource took
    the last time, or None where it is new.
    """
    expected = usual if known is None else known
    remaining = expected - elapsed
    if remaining > 0:
        step = remaining if known is not None else min(remaining, expected / FIRST_LOOKS)
        return max(math.ceil(step), 1 if known is not None else SHORTEST)
    late = -remaining
    return round(min(max(late / 4, expected / 100, SHORTEST), LONGEST))
