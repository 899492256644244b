"""Tries changes of modules in processes that are forked from one which has run the tests once.

A plugin of pytest. It runs every collected test and notes which lines of the modules it runs;
then, for each change, a forked process puts the changed functions into the place of the others
and runs the tests that run the line, the quickest first, until one fails.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from tests.conftest import ROOT
from tests.mutating.changes import Change
from tests.mutating.codes import Loaded, changed
from tests.mutating.lines import Lines

GRACE = 10.0
"""What the tests of a change may take beyond twice their time, in seconds of the processor."""
ROOM = 3 << 30
"""How much memory a trial may have, in bytes: a loop without an end may gather."""
CANNOT = 70
"""What a trial ends with whose change cannot be put in while the code is loaded."""


@dataclass(eq=False)
class Trials:
    """Tries changes; ``noticed`` has the test that noticed each, or ``None``."""

    changes: Sequence[Change]
    rooms: tuple[str, ...]
    """The folders of the modules."""
    seconds: float
    """How long the tests of one change may take together."""
    jobs: int
    known: Path | None = None
    """Where it is kept which test runs which lines, and for how long."""
    report: Callable[[Change, str | None], None] = lambda change, test: None
    done: Callable[[str], None] = lambda module: None
    noticed: dict[Change, str | None] = field(default_factory=dict)
    seen: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    trusted: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = Counter(one.module for one in self.changes)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once, then the changes."""
        self._items = {item.nodeid: item for item in session.items}
        self._look(session.items)
        gc.collect()
        self._loaded = Loaded(self.rooms)
        gc.freeze()
        self._try_all()
        return True

    def _look(self, items: Sequence[pytest.Item]) -> None:
        """Note the lines that each test runs, and leave out the tests that fail as it is."""
        if self.known and self.known.exists():
            self.seen, self.took = json.loads(self.known.read_text())
        new = [item for item in items if item.nodeid not in self.seen]
        if not new:  # what a first request loads is loaded before the processes are forked
            new = [item for _, (item, *_) in groupby(items, key=lambda one: one.path)]
        lines = Lines(ROOT / "source", self.rooms)
        for item, after in zip(new, [*new[1:], None], strict=True):
            lines.taken()
            start = time.process_time()
            reports = runtestprotocol(item, log=False, nextitem=after)
            self.took[item.nodeid] = round(time.process_time() - start, 4)
            found = lines.taken()
            self.seen[item.nodeid] = {} if any(one.failed for one in reports) else found
        lines.end()
        if self.known:
            self.known.write_text(json.dumps([self.seen, self.took]))

    def tests(self, change: Change) -> list[str]:
        """Return the tests that run a changed line, in the order in which they are tried."""
        path = str(ROOT / change.module)
        lines = set(range(change.first, change.last + 1))
        named = [
            name
            for name in self._items
            if lines & set(self.seen.get(name, {}).get(path, ())) and self.trusted.get(name, True)
        ]
        kills = {name: self.kills[change.module, name] for name in named}
        named.sort(key=lambda name: (-kills[name], self.took[name]))
        chosen: list[str] = []
        total = 0.0
        for name in named:
            total += self.took[name]
            if chosen and total > self.seconds:
                break
            chosen.append(name)
        return chosen

    def _try_all(self) -> None:
        waiting, running = list(reversed(self.changes)), dict[int, tuple[Change, list[str], int]]()
        while waiting or running:
            while waiting and len(running) < self.jobs:
                change = waiting.pop()
                named = self.tests(change)
                if named:
                    pid, pipe = self._fork(change, named)
                    running[pid] = (change, named, pipe)
                else:
                    self._tell(change, None)
            if not running:
                continue
            pid, status = os.wait()
            if pid not in running:
                continue  # left over by a test
            change, named, pipe = running.pop(pid)
            said = os.read(pipe, 1 << 16).split()
            os.close(pipe)
            test = named[len(said) - 1] if status and said else None
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == CANNOT:
                self._end(change)
                continue
            if test and not os.WIFSIGNALED(status) and not self._trust(test):
                waiting.append(change)
                continue
            self._tell(change, test)

    def _tell(self, change: Change, test: str | None) -> None:
        """Note what noticed a change."""
        self.noticed[change] = test
        if test:
            self.kills[change.module, test] += 1
        self.report(change, test)
        self._end(change)

    def _end(self, change: Change) -> None:
        """Count a change as tried; tell when it was the last of its module."""
        self.left[change.module] -= 1
        if not self.left[change.module]:
            self.done(change.module)

    def _trust(self, test: str) -> bool:
        """Tell whether a test passes in a forked process where nothing is changed."""
        if test not in self.trusted:
            pid, pipe = self._fork(None, [test])
            _, status = os.waitpid(pid, 0)
            os.close(pipe)
            self.trusted[test] = status == 0
        return self.trusted[test]

    def _fork(self, change: Change | None, named: Sequence[str]) -> tuple[int, int]:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return pid, reading
        code = 1
        try:
            self._limit(named)
            code = CANNOT
            if change:
                put(change, self._loaded)
            code = 1
            code = self._run(named, writing)
        except BaseException:
            pass
        finally:
            os._exit(code)

    def _limit(self, named: Sequence[str]) -> None:
        """End a trial that goes on for ever or takes all memory."""
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        seconds = round(GRACE + 2 * sum(self.took[name] for name in named))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10 * seconds)

    def _run(self, named: Sequence[str], pipe: int) -> int:
        items = [self._items[name] for name in named]
        for number, item in enumerate(items):
            os.write(pipe, b"run ")
            after = items[number + 1] if number + 1 < len(items) else None
            if any(one.failed for one in runtestprotocol(item, log=False, nextitem=after)):
                return 1
        return 0


def put(change: Change, loaded: Loaded) -> None:
    """Put a change's functions into the place of those that are loaded, wherever they are held."""
    path = str(ROOT / change.module)
    was = compile((ROOT / change.module).read_text(), path, "exec")
    loaded.put(changed(was, compile(change.source, path, "exec")))
