"""Who waits for a dataset group's turn gets it in order: configs, then who has waited longest.

A dataset group with more work than time, hour by hour, through the real first and last steps of
its runs, on a virtual clock and a table in memory.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mpe.aws.objects import Pointer
from mpe.aws.turns import GRACE, Claim, Place, Turns
from mpe.handlers.begin import LAST_ASK, Begin
from tests.handlers.memory import Table
from tests.handlers.test_runs import NOW, Account, Executions, Fixed
from tests.handlers.test_runs import account as account

GROUP = "films"
TASKS, TAKES, HOUR = 12, timedelta(minutes=25), timedelta(hours=1)
TIMES_OUT = timedelta(days=2)


class Current(Begin):
    """The first step of a run, whose tasks are those of the config of the moment."""

    def _current(self, group: str, task: str, state: Pointer) -> bool:
        return True


class States:
    """The desired states, in which every task is."""

    def state_of_run(self, pointer: Pointer) -> Any:
        return self

    @property
    def tasks(self) -> Any:
        return {f"task-{number}": self for number in range(TASKS)}

    work: dict[str, Any] = {}  # noqa: RUF012
    on_removal = "keep"


@dataclass
class Overloaded:
    """Tasks that fire each hour and need more than an hour in all; a config now and then."""

    turns: Turns = field(default_factory=lambda: Turns(Table()))
    executions: Executions = field(default_factory=Executions)
    waited: dict[str, list[timedelta]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    _next: list[tuple[datetime, int, Any]] = field(default_factory=list)
    _count: int = 0

    def live(self, long: timedelta) -> None:
        self._at(NOW, lambda now: self._fire(now))
        self._at(NOW + HOUR / 3, lambda now: self._upload(now))
        while self._next and self._next[0][0] < NOW + long:
            now, _, what = heapq.heappop(self._next)
            what(now)

    def _at(self, moment: datetime, what: Any) -> None:
        self._count += 1
        heapq.heappush(self._next, (moment, self._count, what))

    def _fire(self, now: datetime) -> None:
        for number in range(TASKS):
            task = f"task-{number}"
            if task not in self.busy:  # else its fire is skipped
                self.busy.add(task)
                self._begin(now, task)
        self._at(now + HOUR, self._fire)

    def _upload(self, now: datetime) -> None:
        self._begin(now, "config")
        self._at(now + 4 * HOUR, self._upload)

    def _begin(self, now: datetime, what: str) -> None:
        execution = f"{what}-{now:%dT%H%M}"
        self.executions.alive.add(execution)
        claim = Claim(GROUP, execution, execution, f"{now:%d%H%M}")
        if what == "config":
            self.turns.announce(GROUP, claim.run, claim.sequencer)
        self._ask(now, now, claim, what)

    def _ask(self, now: datetime, since: datetime, claim: Claim, what: str) -> None:
        task = None if what == "config" else what
        clock = Fixed(moment=now)
        begin = Current(States(), self.turns, None, self.executions, clock)  # type: ignore[arg-type]
        answer = begin(claim, Pointer("b", "k"), task, since)
        if "wait" in answer and now - since < TIMES_OUT:
            later = now + timedelta(seconds=answer["wait"])
            self._at(later, lambda then: self._ask(then, since, claim, what))
            return
        self.waited.setdefault(what, []).append(now - since)
        if "work" in answer:
            self._at(now + TAKES, lambda then: self._end(claim, what))
        else:
            self._end(claim, what)

    def _end(self, claim: Claim, what: str) -> None:
        self.executions.alive.discard(claim.execution)
        self.busy.discard(what)
        self.turns.give_back(GROUP, claim.execution)


def test_a_config_that_would_mend_an_overloaded_group_comes_next() -> None:
    overloaded = Overloaded()
    overloaded.live(timedelta(days=2))
    waited = overloaded.waited["config"]
    assert len(waited) == 12, "every upload had its turn"
    assert max(waited) < TAKES + timedelta(seconds=2 * LAST_ASK)


def test_no_task_of_an_overloaded_group_starves() -> None:
    overloaded = Overloaded()
    overloaded.live(timedelta(days=2))
    round_ = TASKS * (TAKES + timedelta(seconds=LAST_ASK))
    for number in range(TASKS):
        waited = overloaded.waited[f"task-{number}"]
        assert max(waited) < 1.5 * round_, number
    counts = [len(overloaded.waited[f"task-{number}"]) for number in range(TASKS)]
    assert max(counts) - min(counts) <= 2, "each had about as many turns"


def place(execution: str, minutes: int, *, task: bool = False) -> Place:
    return Place(task, NOW + timedelta(minutes=minutes), execution)


def test_configs_go_first_and_then_who_has_waited_longest(account: Account) -> None:
    turns, again = account.turns, timedelta(seconds=30)
    early, late = place("early", 0, task=True), place("late", 1, task=True)
    config = place("config", 2)
    for one in (late, early, config):
        turns.line_up(GROUP, one, NOW, again)
    assert not turns.ahead(GROUP, config, NOW)
    assert turns.ahead(GROUP, early, NOW)
    turns.step_out(GROUP, "config")
    assert not turns.ahead(GROUP, early, NOW)
    assert turns.ahead(GROUP, late, NOW)
    assert not turns.ahead("another-group", late, NOW)


def test_who_waits_in_line_and_does_not_ask_again_keeps_nobody_waiting(account: Account) -> None:
    turns, again = account.turns, timedelta(seconds=120)
    turns.line_up(GROUP, place("stopped", 0), NOW, again)
    assert turns.ahead(GROUP, place("next", 1), NOW + again + GRACE)
    assert not turns.ahead(GROUP, place("next", 1), NOW + again + GRACE + timedelta(seconds=1))


def test_a_config_that_came_after_a_task_has_its_turn_before_it() -> None:
    overloaded, later = Overloaded(), NOW + timedelta(minutes=1)
    executions = overloaded.executions
    executions.alive = {"busy"}
    overloaded.turns.take(Claim(GROUP, "busy", "busy", "0"), NOW)
    overloaded.turns.announce(GROUP, "config", "1")

    def ask(what: str, task: str | None, since: datetime) -> list[str]:
        begin = Current(States(), overloaded.turns, None, executions, Fixed(moment=later))  # type: ignore[arg-type]
        return [*begin(Claim(GROUP, what, what, "1"), Pointer("b", "k"), task, since)]

    assert ask("task", "task-0", NOW) == ask("config", None, later) == ["wait"]
    overloaded.turns.give_back(GROUP, "busy")
    assert ask("task", "task-0", NOW) == ["wait"]
    assert ask("config", None, later) == ["work"]


def test_a_task_that_has_the_turn_and_asks_again_keeps_it_though_a_config_waits() -> None:
    overloaded = Overloaded()
    overloaded.live(timedelta(seconds=1))
    (lease,) = [row for key, row in table_of(overloaded).items() if key[1] == "LEASE"]
    overloaded.turns.line_up(GROUP, place("config", 1), NOW, timedelta(seconds=30))
    claim = Claim(GROUP, lease["run"], lease["holder"], "0")
    begin = Current(
        States(),
        overloaded.turns,
        None,
        overloaded.executions,
        Fixed(),  # type: ignore[arg-type]
    )
    assert "work" in begin(claim, Pointer("b", "k"), "task-0", NOW)
    other = replace(claim, run="other", execution="other")
    assert "wait" in begin(other, Pointer("b", "k"), "task-1", NOW)


def table_of(overloaded: Overloaded) -> dict[tuple[str, str], dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = overloaded.turns._table.rows
    return rows


def test_who_is_superseded_or_has_its_turn_waits_in_line_no_more() -> None:
    overloaded = Overloaded()
    overloaded.live(timedelta(hours=20))
    now = (NOW + timedelta(hours=20)).isoformat()
    waiting = {row["holder"] for key, row in table_of(overloaded).items() if "LINE#" in key[1]}
    assert waiting <= overloaded.executions.alive
    assert len(waiting) == len(overloaded.executions.alive) - 1, "all but the one that has it"
    assert all(row["until"] > now for key, row in table_of(overloaded).items() if "LINE#" in key[1])
