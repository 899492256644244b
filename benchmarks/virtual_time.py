"""A clock that jumps: it moves only when everything that runs is waiting.

A discrete-event simulation of threads. Each simulated thread is a real one, but only one of
them runs at a time; whoever sleeps or waits for another hands over to the next that can run,
and where all are asleep the clock moves to the first that wakes. So hours pass at once, and
every run with the same input gives the same times and the same order.

:func:`govern` lets MiniStack's Step Functions engine, and the deliveries of its S3 and
EventBridge, run on such a clock. Nothing of the workflow is imitated: the engine walks the
synthesized definition as it is.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time as time_module
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

INLINE_MAP_AT_ONCE = 40
"""How many iterations of an inline Map run at a time, which MiniStack does not limit
(https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html)."""


class DeadlockError(RuntimeError):
    """Everything waits, and nothing will ever wake."""


class _Turn:
    """A thread's permission to run."""

    def __init__(self) -> None:
        self._given = threading.Semaphore(0)

    def give(self) -> None:
        self._given.release()

    def take(self) -> None:
        self._given.acquire()


class _End:
    """The end of some work, and who waits for it."""

    def __init__(self) -> None:
        self.reached = False
        self.waiting: list[_Turn] = []


class VirtualTime:
    """The clock, and the threads that live by it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = threading.Lock()
        self._ready: deque[_Turn] = deque()
        self._asleep: list[tuple[datetime, int, _Turn]] = []
        self._order = itertools.count()
        self._mine = threading.local()
        self._alive: set[_End] = set()
        self._deadlock: DeadlockError | None = None

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Move the clock forward while nothing runs."""
        self._now = max(self._now, moment)

    def run(self, work: Callable[[], Any]) -> Any:
        """Do some work as the first thread, then let everything come to its end."""
        self._mine.turn = _Turn()
        try:
            result = work()
            while self._alive:
                self.wait_for(next(iter(self._alive)))
            if self._deadlock:
                raise self._deadlock
            return result
        finally:
            del self._mine.turn

    def sleep(self, seconds: float) -> None:
        """Let the time pass for the thread that calls."""
        if seconds <= 0:
            return
        me = self._mine.turn
        with self._lock:
            wakes = self._now + timedelta(seconds=seconds)
            heapq.heappush(self._asleep, (wakes, next(self._order), me))
        self._hand_over(me)

    def start(self, work: Callable[[], Any]) -> _End:
        """Begin a thread; any thread may, also one that does not live by this clock."""
        end, turn = _End(), _Turn()

        def live() -> None:
            self._mine.turn = turn
            turn.take()
            try:
                work()
            except DeadlockError as error:
                self._deadlock = error
            finally:
                self.reach(end)
                with self._lock:
                    self._alive.discard(end)
                self._wake_next()

        with self._lock:
            self._alive.add(end)
            self._ready.append(turn)
        threading.Thread(target=live, daemon=True).start()
        return end

    def reach(self, end: _End) -> None:
        """Let all who wait for an end go on."""
        with self._lock:
            end.reached = True
            self._ready.extend(end.waiting)
            end.waiting = []

    def wait_for(self, end: _End) -> None:
        """Wait until an end is reached, however long it takes."""
        me = self._mine.turn
        with self._lock:
            if end.reached:
                return
            end.waiting.append(me)
        self._hand_over(me)

    def _hand_over(self, me: _Turn) -> None:
        following = self._next()
        if following is None:
            raise DeadlockError("everything waits, and nothing will wake")
        if following is not me:
            following.give()
            me.take()

    def _wake_next(self) -> None:
        following = self._next()
        if following is not None:
            following.give()

    def _next(self) -> _Turn | None:
        with self._lock:
            if self._ready:
                return self._ready.popleft()
            if not self._asleep:
                return None
            self._now, _, turn = heapq.heappop(self._asleep)
            return turn


class _Thread:
    """``threading.Thread``, as far as MiniStack uses it, on a virtual clock."""

    def __init__(
        self,
        time: VirtualTime,
        target: Callable[..., Any],
        args: Iterable[Any] = (),
        kwargs: dict[str, Any] | None = None,
        daemon: bool | None = None,
        name: str | None = None,
    ) -> None:
        self._time = time
        self._work = lambda: target(*args, **(kwargs or {}))
        self._end: _End | None = None

    def start(self) -> None:
        self._end = self._time.start(self._work)

    def join(self) -> None:
        assert self._end is not None, "the thread was not started"
        self._time.wait_for(self._end)


class _Threading:
    """The module ``threading`` with another ``Thread``."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def Thread(self, *args: Any, **more: Any) -> _Thread:
        return _Thread(self._time, *args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


class _Pool:
    """``ThreadPoolExecutor``, as far as the engine's Map uses it, on a virtual clock."""

    def __init__(self, time: VirtualTime, max_workers: int) -> None:
        self._time = time
        self._free = min(max_workers, INLINE_MAP_AT_ONCE)
        self._queue: deque[tuple[Callable[[], Any], _End]] = deque()

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def submit(self, work: Callable[..., Any], *args: Any) -> _End:
        end = _End()
        self._queue.append((lambda: work(*args), end))
        if self._free:
            self._free -= 1
            self._time.start(self._work_off)
        return end

    def _work_off(self) -> None:
        while self._queue:
            work, end = self._queue.popleft()
            try:
                work()
            finally:
                self._time.reach(end)
        self._free += 1


class Timed:
    """The module ``time`` with another ``sleep``."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time_module, name)


def _not_at_all(seconds: float) -> None:
    """Skip the engine's own start-up pause, which AWS does not have."""


def _without_timeout(resource: str, given: Any, timeout: float) -> Any:
    """Run a task to its end: nothing here takes as long as a task may, which is days."""
    from ministack.services import stepfunctions

    return stepfunctions._invoke_resource(resource, given)


def govern(time: VirtualTime) -> None:
    """Let MiniStack's workflows and deliveries, and the SDK's retries, live by a virtual clock."""
    import botocore.endpoint
    from ministack.services import eventbridge, s3, stepfunctions

    def wait_for_all(ends: Iterable[_End]) -> None:
        for end in ends:
            time.wait_for(end)

    threads = _Threading(time)
    stepfunctions.time = Timed(_not_at_all)
    botocore.endpoint.time = Timed(time.sleep)
    stepfunctions.threading = eventbridge.threading = s3.threading = threads
    stepfunctions.ThreadPoolExecutor = lambda max_workers: _Pool(time, max_workers)
    stepfunctions.futures_wait = wait_for_all
    stepfunctions._scaled_sleep = time.sleep
    stepfunctions._invoke_resource_with_timeout = _without_timeout
    stepfunctions.now_iso = lambda: f"{time.now():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
