"""One turn per dataset group, and rows that are read as they were written last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moto import mock_aws

from mpe.aws.ledger import Ledger
from mpe.aws.tasks import Tasks
from mpe.aws.turns import ACTS, LEASE, LOST, Claim, Place, Turns
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.removals import Made
from tests.handlers.memory import Table
from tests.handlers.test_runs import table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILMS = "arn:aws:personalize:us-east-1:000000000000:solution/films"


class Behind:
    """A DynamoDB table that answers reads with what there was before, unless they are consistent.

    "The response might not reflect the results of a recently completed write operation"
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html).
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def get_item(self, **asked: Any) -> Any:
        return self._table.get_item(**asked) if asked.get("ConsistentRead") else {}

    def query(self, **asked: Any) -> Any:
        return self._table.query(**asked) if asked.get("ConsistentRead") else {"Items": []}


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield Behind(table("rows"))


def claim(name: str, sequencer: str = "01") -> Claim:
    return Claim("films", name, f"execution-{name}", sequencer)


class Ended:
    """Executions, of which none runs any more."""

    def running(self, execution: str) -> bool:
        return False

    def ended(self, execution: str) -> datetime | None:
        return NOW - ACTS * 2


def test_who_has_taken_a_turn_is_known_at_once(behind: Behind) -> None:
    turns = Turns(behind)
    turns.take(claim("one"), NOW)
    assert turns.holder("films") == "one"
    assert turns.take(claim("other"), NOW) == "execution-one"


def test_who_lines_up_is_seen_by_the_next_at_once(behind: Behind) -> None:
    turns = Turns(behind)
    first = Place(task=False, since=NOW, execution="first")
    turns.line_up("films", first, NOW, timedelta(minutes=1))
    later = Place(task=False, since=NOW + timedelta(seconds=1), execution="later")
    assert turns.ahead("films", later, NOW)
    assert not turns.ahead("films", first, NOW)


def test_a_task_is_read_as_it_was_written_last(behind: Behind) -> None:
    tasks = Tasks(behind)
    tasks.write("films", "full", expression="rate(1 day)")
    row = tasks.get("films", "full")
    assert row
    assert row["expression"] == "rate(1 day)"


def test_what_was_asked_for_is_known_to_the_next_call(behind: Behind) -> None:
    ledger = Ledger(behind)
    ledger.ask("films", "run", "version", NOW, at=NOW)
    assert ledger.asked("films", "run", "version") == NOW
    ledger.ask("films", "run", "version", NOW, at=None)
    assert ledger.asked("films", "run", "version") is None


def _imported(ledger: Ledger) -> Any:
    ledger.see("films", "dataset-import-job/a", frozenset({"digest"}), NOW)
    return ledger.seen("films", "dataset-import-job/a")


def _pointed(ledger: Ledger) -> Any:
    ledger.point("films", "films", ModelPointer(version=f"{FILMS}/1", at=NOW.isoformat()))
    return ledger.pointer("films", "films")


def _moved(ledger: Ledger) -> Any:
    ledger.point("films", "films", ModelPointer(version=f"{FILMS}/1", at=NOW.isoformat()))
    return list(ledger.moves("films", "films"))


def _made(ledger: Ledger) -> Any:
    ledger.note_made("films", Made.of("Solution", "films", FILMS, {}))
    return list(ledger.made("films"))


def _accepted(ledger: Ledger) -> Any:
    ledger.accept("films", "Items", {"data": "a", "by": "b", "why": "c", "at": NOW.isoformat()})
    return ledger.accepted("films", "Items")


def _weighed(ledger: Ledger) -> Any:
    ledger.weigh("films", Version(f"{FILMS}/1", {"coverage": 0.5}))
    return ledger.weighed("films", f"{FILMS}/1")


def _versions(ledger: Ledger) -> Any:
    ledger.weigh("films", Version(f"{FILMS}/1", {"coverage": 0.5}))
    return list(ledger.versions("films", "films"))


def _judged(ledger: Ledger) -> Any:
    ledger.note_verdict("films", f"{FILMS}/1", "films", {"verdict": "good", "n": Decimal(1)})
    return list(ledger.verdicts("films", f"{FILMS}/1"))


def _outcome(ledger: Ledger) -> Any:
    ledger.record("films", "run", {"resource": "solution.films", "failed": None}, NOW)
    return list(ledger.outcomes("films", "run"))


@pytest.mark.parametrize(
    "written",
    [_pointed, _made, _accepted, _imported, _moved, _weighed, _versions, _judged, _outcome],
)
def test_what_a_step_wrote_is_known_to_the_step_after_it(
    behind: Behind, written: Callable[[Ledger], Any]
) -> None:
    """The last step tells of a run moments after the last resource was noted, and of each."""
    assert written(Ledger(behind))


def test_the_turn_of_a_dead_run_is_not_taken_from_who_has_it_since() -> None:
    turns = Turns(Table())
    turns.take(claim("alive"), NOW)
    assert not turns.take_over(claim("late"), "execution-dead", NOW)
    assert turns.holder("films") == "alive"


def test_of_two_that_find_the_same_dead_run_one_has_the_turn() -> None:
    turns = Turns(Table())
    turns.take(claim("dead"), NOW)
    turns.record("films", "dead", {"status": "RUNNING"})
    assert turns.take_over(claim("one"), "execution-dead", NOW)
    assert not turns.take_over(claim("other"), "execution-dead", NOW)
    assert turns.holder("films") == "one"
    assert (turns.recorded("films", "dead") or {})["status"] == LOST


def test_a_turn_that_a_stopped_run_left_is_taken_over() -> None:
    turns = Turns(Table())
    turns.take(claim("stopped"), NOW)
    assert turns.take_turn(claim("next"), Ended(), NOW) is None
    assert turns.holder("films") == "next"


def test_a_turn_ends_by_itself_after_its_lease() -> None:
    turns = Turns(Table())
    turns.take(claim("gone"), NOW)
    assert turns.take(claim("next"), NOW + LEASE - timedelta(seconds=1)) == "execution-gone"
    assert turns.take(claim("next"), NOW + LEASE + timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E51"),
        ("10", "9"),
        ("0055aed6dcd90281e5", "0055AED6DCD90281E6"),
    ],
)
def test_sequencers_of_two_lengths_are_compared_from_the_left(older: str, newer: str) -> None:
    """S3's guide: pad the shorter "on the right with zeros", and then compare as text
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
    """
    turns = Turns(Table())
    assert turns.announce("films", "older", older)
    assert not turns.overtaken("films", "older", older)
    assert turns.announce("films", "newer", newer)
    assert turns.overtaken("films", "older", older)
    assert not turns.announce("films", "older", older)
    assert not turns.admits(claim("older", older))
