"""A run of the workflow as nothing but its waits, for hundreds of draws in seconds.

It walks the states of the provisioning workflow and its solutions', counts them, and asks a law
of waiting after each look, as the ensure function does. What it leaves out is the service, the
handlers and Step Functions themselves, so that a run takes milliseconds in place of seconds;
``tests/benchmarks/test_durations.py`` holds it to the real ones on the same draws.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.drawn import Part, Took

Process = Generator["float | list[Process]", None, None]
"""What yields seconds that pass, or processes that all come to their end before it goes on."""
CALL, STATE = 0.3, 0.05
"""Seconds of a function's call, and of entering a state."""


class Law(Protocol):
    """A law of waiting, and what it has learnt."""

    states: int
    """How many states a look takes that comes after a wait."""

    def wait(self, part: Part, elapsed: float, took: float) -> float:
        """Return seconds until the next look, endless where it gives up.

        ``elapsed`` is what has passed since the creation, and ``took`` what only an oracle heeds.
        """

    def learn(self, part: Part, took: float) -> None:
        """Learn how long a job took that is seen to be done."""


@dataclass
class Ran:
    """What became of a run."""

    seconds: float = 0.0
    looks: int = 0
    """Those that come after a wait."""
    transitions: int = 0
    invocations: int = 0
    gave_up: bool = False


@dataclass
class _Task:
    process: Process
    parent: _Task | None = None
    children: int = 0


def follow(process: Process) -> float:
    """Let a process and all that it starts come to their end, and return how long that takes."""
    now, order = 0.0, itertools.count()
    asleep = [(0.0, next(order), _Task(process))]
    while asleep:
        now, _, task = heapq.heappop(asleep)
        following: _Task | None = task
        while following is not None:
            following = _advance(following, now, asleep, order)
    return now


def _advance(
    task: _Task, now: float, asleep: list[tuple[float, int, _Task]], order: Iterator[int]
) -> _Task | None:
    """Let a process go on until it waits, and return another that can go on for it."""
    asked = next(task.process, None)
    if asked is None:
        if task.parent is None:
            return None
        task.parent.children -= 1
        return None if task.parent.children else task.parent
    if not isinstance(asked, list):
        heapq.heappush(asleep, (now + asked, next(order), task))
        return None
    task.children = len(asked)
    for child in asked:
        heapq.heappush(asleep, (now, next(order), _Task(child, task)))
    return None if asked else task


@dataclass
class Run:
    """One run of a group, in which everything is made."""

    took: Took
    law: Law
    ran: Ran = field(default_factory=Ran)

    def __call__(self) -> Ran:
        self.ran.seconds = follow(self._whole())
        return self.ran

    def _states(self, count: int = 1) -> Process:
        self.ran.transitions += count
        yield STATE * count

    def _call(self) -> Process:
        self.ran.invocations += 1
        yield CALL

    def _task(self) -> Process:
        yield from self._states()
        yield from self._call()

    def _task_and_choice(self) -> Process:
        yield from self._task()
        yield from self._states()

    def _ensure(self, noun: str, number: int = 0) -> Process:
        """Create it, and look until it is done."""
        yield from self._task()
        part, elapsed = (noun, number), 0.0
        between = self.law.states * STATE + CALL
        while True:
            wait = self.law.wait(part, elapsed, self.took[part])
            if math.isinf(wait):
                self.ran.gave_up = True
                break
            self.ran.looks += 1
            yield wait
            yield from self._states(self.law.states)
            yield from self._call()
            elapsed += wait + between
            if elapsed >= self.took[part]:
                break
        self.law.learn(part, self.took[part])
        yield from self._states()

    def _whole(self) -> Process:
        yield from self._call()  # Configure
        yield from self._task_and_choice()  # the turn
        yield from self._states()
        yield from self._task_and_choice()  # the look ahead
        yield from self._ensure("DatasetGroup")
        yield from self._each("Dataset")
        yield from self._states()
        yield from self._side_by_side(self._imports(), self._states(), self._states())
        yield from self._states()
        stages = (self._states() for _ in range(2))
        schedules = self._choice_and_task()
        yield from self._side_by_side(self._states(), schedules, *stages, self._solutions())
        yield from self._task_and_choice()  # the report
        yield from self._states()
        self.ran.invocations += 1  # the mail, which nothing waits for

    def _choice_and_task(self) -> Process:
        yield from self._states()
        yield from self._task()

    def _side_by_side(self, *branches: Process) -> Process:
        yield from self._states()
        yield list(branches)

    def _each(self, noun: str) -> Process:
        """A Map of all that the group has of a type."""
        numbers = [number for one, number in self.took if one == noun]
        yield from self._side_by_side(*(self._one(noun, number) for number in numbers))

    def _one(self, noun: str, number: int) -> Process:
        if noun == "Dataset":  # with its schema
            yield from self._task_and_choice()
        yield from self._ensure(noun, number)
        yield from self._states()

    def _imports(self) -> Process:
        yield from self._states(2)  # no metric attributions
        yield from self._each("DatasetImportJob")
        yield from self._states(2)  # no deletions

    def _solutions(self) -> Process:
        yield from self._states()  # a Map of Maps
        numbers = [number for noun, number in self.took if noun == "SolutionVersion"]
        yield from self._side_by_side(*(self._solution(number) for number in numbers))

    def _solution(self, number: int) -> Process:
        yield from self._states()  # its own execution
        yield from self._ensure("Solution", number)
        yield from self._ensure("SolutionVersion", number)
        uses = [self._use(noun, number) for noun in ("Campaign", "BatchInferenceJob")]
        yield from self._side_by_side(*uses, self._states())
        yield from self._states(2)

    def _use(self, noun: str, number: int) -> Process:
        there = [self._one(noun, number)] if (noun, number) in self.took else []
        yield from self._side_by_side(*there)
