"""The law of waiting that the present one took the place of, for the table to have both.

It halved what was left of a guess, and believed a job's last duration to a fiftieth.
"""

from __future__ import annotations

import math

SHORTEST = 5
LONGEST = 60
"""The longest wait between looks at what is late, unless it is very long itself."""
NEAREST = 1 / 20
"""The share of a guessed duration that is not halved any more."""
MARGIN = 0.02
"""How much shorter than the last time a job may be, as a share, and still be seen at once."""
LATENESS = 1 / 4
"""The share of a delay by which its end may be seen late."""
MOST = 60 * 60
"""The longest wait of all."""
TYPICAL = {
    "DatasetGroup": 30,
    "Dataset": 60,
    "DatasetImportJob": 900,
    "Solution": 10,
    "SolutionVersion": 3_600,
    "Campaign": 600,
    "BatchInferenceJob": 1_200,
}
"""What it guessed that each type takes, in seconds."""


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
