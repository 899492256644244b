"""What a difference between MiniStack and AWS is, and what it is made good with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mpe.emulator.service import Personalize
from mpe.local.faults import Interference
from mpe.local.kept import Calls, Mailbox


@dataclass(frozen=True)
class Start:
    """One start of the local cloud: what the differences are made good with.

    ``speed`` is how many times faster than AWS the time passes.
    """

    service: Personalize
    speed: float
    calls: Calls
    mailbox: Mailbox
    interference: Interference


@dataclass(frozen=True)
class Difference:
    """What AWS does and MiniStack alone does not, and how it is made good.

    ``page`` is AWS's word for it, or None where the local cloud's own pace or tools ask for it.
    ``test`` is the test in ``tests/local/ministack`` that fails once MiniStack does so alone.
    """

    aws: str
    alone: str
    page: str | None
    test: str
    make_good: Callable[[Start], None]
