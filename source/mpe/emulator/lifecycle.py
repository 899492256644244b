"""Statuses over time.

Nothing ticks: what a status is follows from when it began, how long it takes and, where
there is real work behind it, whether the work is done.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

PENDING, IN_PROGRESS, ACTIVE, FAILED = (
    "CREATE PENDING",
    "CREATE IN_PROGRESS",
    "ACTIVE",
    "CREATE FAILED",
)
CREATION = (PENDING, IN_PROGRESS, ACTIVE)


class WorkFailed(Exception):
    """The work behind a status failed; the message is the service's failureReason."""


@dataclass
class Work:
    """Real work in the background, and when it ended."""

    future: Future[None]
    clock: Callable[[], datetime]
    ended: datetime | None = None

    def __post_init__(self) -> None:
        self.future.add_done_callback(self._note)

    def _note(self, _: Future[None]) -> None:
        self.ended = self.clock()

    @property
    def failure(self) -> str | None:
        """Return why the work failed, once it is done."""
        error = self.future.exception()
        if error is None:
            return None
        if isinstance(error, WorkFailed):
            return str(error)
        return f"Internal failure of the emulator: {type(error).__name__}: {error}"


@dataclass(frozen=True)
class State:
    """A status, since when, and why where it is a failure."""

    status: str
    since: datetime
    failure: str | None = None


@dataclass
class Progress:
    """A creation, an update or a stop on its way, from when it began."""

    began: datetime
    seconds: float
    """On the clock, not the service's seconds."""
    pending_share: float = 0.1
    steps: tuple[str, str, str] = CREATION
    failed: str = FAILED
    work: Work | None = None
    failure: str | None = None
    """A failure that was ordered."""

    def at(self, now: datetime) -> State:
        """Return the state at a moment."""
        pending, running, final = self.steps
        started = self.began + timedelta(seconds=self.seconds * self.pending_share)
        due = self.began + timedelta(seconds=self.seconds)
        if now < started:
            return State(pending, self.began)
        if now < due or not self._worked():
            return State(running, started)
        if self.work and self.work.ended:
            due = max(due, self.work.ended)
        failure = self.failure or (self.work.failure if self.work else None)
        return State(self.failed, due, failure) if failure else State(final, due)

    def _worked(self) -> bool:
        return self.work is None or (self.work.future.done() and self.work.ended is not None)
