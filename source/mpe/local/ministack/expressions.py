"""JSONata in workflows: what an expression may take."""

from __future__ import annotations

import time
from typing import Any

from jsonata import jexception, timebox

SLOWER = 5
"""How many times as long as in AWS an expression may take: the engine is Python here, and the
processor may be a slow one, or one that a hypervisor lends to others."""


class OwnTime(timebox.Timebox):  # type: ignore[misc]
    """Bounds an expression by what it takes itself, not by what others take beside it.

    It begins where the clock of its thread, in seconds, is at, and still ends one that runs away.
    """

    def __init__(self, expr: Any, timeout: int | None = None, max_depth: int | None = None) -> None:
        super().__init__(expr, timeout, max_depth)
        self.began = time.thread_time()

    def check_runaway(self) -> None:
        """Raise JException D1011 for too deep an expression, D1012 for one that takes too long."""
        if self.max_depth is not None and self.depth > self.max_depth:
            raise jexception.JException("D1011", -1)
        taken = (time.thread_time() - self.began) * 1000
        if self.timeout is not None and taken > self.timeout * SLOWER:
            raise jexception.JException("D1012", -1, self.timeout)
