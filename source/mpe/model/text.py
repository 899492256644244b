"""Text of others made safe to show: one line, of a bounded length, with nothing hidden in it.

Names and keys come from users and reasons from the service. In a mail, a terminal or a report a
line break in one of them could forge a line of ours, an escape sequence could colour or erase
what stands there, and a bidirectional override could turn it round.
"""

from __future__ import annotations

import math

LONGEST = 1_000
"""Characters of one text."""


def plain(text: object, limit: int = LONGEST) -> str:
    """Return a text on one line: what is not printable is written as its escape."""
    given = str(text)
    head = given[: limit + 1]
    safe = head if head.isprintable() else "".join(map(_visible, head))
    return safe if len(safe) <= limit else f"{safe[: limit - 3]}..."


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def number_of(value: object) -> float | None:
    """Return what a number, or a text that is one, is worth; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
