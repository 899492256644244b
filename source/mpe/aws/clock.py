"""The time, and how fast it passes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

APART = 0.2
"""Seconds of ours between two looks where time is hastened."""
FEW = 5
"""How many may be looked at so often side by side; more leave room for each other."""


@dataclass(frozen=True)
class Clock:
    """Tell the time, and durations in the service's seconds.

    In AWS a second is a second. The local cloud lets the service run ``speed`` times faster
    and says so in ``MPE_TIME_SCALE``, since Step Functions scales its waits by the same.
    """

    speed: float = 1.0

    @classmethod
    def from_environment(cls) -> Clock:
        return cls(float(os.environ.get("MPE_TIME_SCALE", "1")))

    def between(self, elapsed: float, many: int) -> int:
        """Return the service's seconds to leave between two looks at what began so long ago.

        Where time is hastened a look itself takes minutes of it, and as many resources as are
        looked at side by side without a pause wait for each other. In AWS there is no need of any.
        """
        apart = APART * max(1.0, many / FEW)
        return round(min(elapsed, apart * (self.speed - 1)))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self, start: datetime, end: datetime) -> float:
        """Return how many of the service's seconds lie between two moments."""
        return (end - start).total_seconds() * self.speed

    def since(self, start: datetime) -> float:
        return self.seconds(start, self.now())

    def rests(self, seconds: float) -> None:
        """Wait so many of the service's seconds."""
        time.sleep(seconds / self.speed)

    def ago(self, seconds: float) -> datetime:
        """Return the moment that many of the service's seconds ago."""
        return self.now() - timedelta(seconds=seconds / self.speed)
