"""One turn per dataset group, and rows that are read as they were written last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mpe.aws.ledger import Ledger
from mpe.aws.tasks import Tasks
from mpe.aws.turns import ACTS, LEASE, LOST, Claim, Place, Turns
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.forms import MARK
from mpe.model.plan.removals import Made
from tests.aws.conftest import Behind
from tests.handlers.memory import Table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILMS = "arn:aws:personalize:us-east-1:000000000000:solution/films"


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


def test_a_config_lies_where_it_is_said_or_in_its_groups_own_folder() -> None:
    turns = Turns(Table())
    assert (turns.key("films"), turns.folder("films"), turns.newest_run("films")) == (None,) * 3
    turns.announce("films", "run", "01")
    assert (turns.key("films"), turns.newest_run("films")) == ("train/films/config.json", "run")
    turns.announce("films", "run", "01", "train/elsewhere/config.json")
    assert turns.key("films") == "train/elsewhere/config.json"
    assert turns.folder("films") == "train/elsewhere/"


def test_of_one_upload_one_run_is_admitted_and_of_two_uploads_the_newer() -> None:
    turns = Turns(Table())
    assert turns.admits(claim("any", "02"))
    turns.announce("films", "known", "02")
    assert turns.admits(claim("known", "02"))
    assert not turns.admits(claim("told-again", "02"))
    assert not turns.admits(claim("known", "01"))
    assert turns.admits(claim("newer", "03"))
    assert turns.is_newest(claim("known", "02"))
    assert not turns.is_newest(claim("older", "01"))
    assert turns.is_newest(claim("newer", "03"))
    assert turns.newest_run("films") == "newer"


def test_who_has_stepped_out_of_the_line_keeps_nobody_waiting() -> None:
    turns = Turns(Table())
    first, later = (
        Place(task=False, since=NOW + timedelta(seconds=n), execution=name)
        for n, name in enumerate(("first", "later"))
    )
    turns.line_up("films", first, NOW, timedelta(minutes=1))
    assert turns.ahead("films", later, NOW)
    turns.step_out("films", "first")
    assert not turns.ahead("films", later, NOW)


def test_of_a_group_without_a_turn_no_run_has_it() -> None:
    turns = Turns(Table())
    assert not turns.holds("films", "run")
    turns.take(claim("run"), NOW)
    assert turns.holds("films", "run")
    assert not turns.holds("films", "other")


def test_a_run_is_found_whichever_group_it_is_of(behind: Behind) -> None:
    turns = Turns(behind)
    turns.record("books", "one", {"status": "RUNNING"})
    turns.record("films", "other", {"status": "SUCCEEDED"})
    found = turns.find("other")
    assert found
    assert (found[0], found[1]["status"]) == ("films", "SUCCEEDED")
    assert turns.find("none") is None


def test_of_two_keys_the_sequencers_say_nothing() -> None:
    turns = Turns(Table())
    turns.announce("films", "known", "05", "train/films/config.json")
    other = Claim("films", "other", "execution-other", "02", "train/elsewhere/config.json")
    assert turns.admits(other)
    assert not turns.announce("films", "other", "02", other.key)
    named = {"instead_of": "train/films/config.json"}
    assert turns.announce("films", "other", "02", other.key, **named)
    assert turns.key("films") == other.key


def test_a_run_that_is_redriven_has_its_turn_with_how_often_that_was() -> None:
    turns = Turns(Table())
    turns.record("films", "run", {"status": "FAILED", "execution": "execution-run"})
    assert turns.resume("films", "run", "01", NOW, 2)
    turns.leave("films", "execution-run", NOW, 1)
    after = NOW + ACTS * 2
    assert turns.take(claim("next"), after) == "execution-run", "an older end does not free it"
    turns.leave("films", "execution-run", NOW, 2)
    assert turns.take(claim("next"), after) is None


def test_a_run_is_not_redriven_where_a_newer_config_or_another_run_is_there() -> None:
    turns = Turns(Table())
    assert not turns.resume("films", "unknown", "01", NOW, 1)
    turns.record("films", "run", {"status": "FAILED", "execution": "execution-run"})
    turns.take(claim("other"), NOW)
    assert not turns.resume("films", "run", "01", NOW, 1)
    turns.give_back("films", "execution-other")
    turns.announce("films", "newer", "02")
    assert not turns.resume("films", "run", "01", NOW, 1)


def test_a_group_that_is_gone_is_forgotten_unless_it_is_made_anew() -> None:
    turns = Turns(Table())
    turns.announce("films", "newer", "02")
    turns.reject("films", "03", {"total": 1})
    assert not turns.forget("films", "run")
    assert turns.newest_run("films") == "newer"
    assert turns.forget("films", "newer")
    assert turns.newest_run("films") is None
    assert turns.forget("films", None), "again"
    rows = turns._table.rows
    assert rows == {}


def test_a_turn_that_was_given_back_meanwhile_is_taken_over() -> None:
    turns = Turns(Table())
    assert turns.take_over(claim("next"), "execution-dead", NOW)
    assert turns.holder("films") == "next"


def test_of_rejected_uploads_the_newest_is_kept_whichever_comes_first() -> None:
    turns = Turns(Table())
    for sequencer, total in (("02", 2), ("01", 1), ("03", 3)):
        turns.reject("films", sequencer, {"total": total})
        assert turns._table.rows["films", "REJECTED"]["total"] == max(total, 2)


def test_what_was_told_of_a_file_stays_known_beyond_the_day() -> None:
    turns = Turns(Table())
    assert turns.nth_told("train/films/", "train/films/a.json", NOW) == 0
    (row,) = turns._table.rows.values()
    assert row["expires"] > (NOW + timedelta(days=1)).timestamp()


MACHINE = "arn:aws:states:us-east-1:000000000000:execution:{}:{}"


@dataclass
class Ending:
    """An execution that is alive, or has ended at some moment."""

    alive: bool = False
    at: datetime | None = None

    def running(self, execution: str) -> bool:
        return self.alive

    def ended(self, execution: str) -> datetime | None:
        return self.at


def holding(execution: str) -> Turns:
    turns = Turns(Table())
    turns.take(Claim("films", "former", execution, "01"), NOW)
    return turns


@pytest.mark.parametrize(
    ("holder", "asking", "free"),
    [
        (MACHINE.format("former", "a"), MACHINE.format("newer", "b"), True),
        (MACHINE.format("one", "a"), MACHINE.format("one", "b"), False),
        ("somebody", MACHINE.format("one", "b"), False),
        (MACHINE.format("one", "a"), "somebody", False),
    ],
)
def test_only_of_a_machine_that_is_gone_nobody_asks_whether_its_execution_runs(
    holder: str, asking: str, free: bool
) -> None:
    claim = Claim("films", "next", asking, "02")
    held = holding(holder).take_turn(claim, Ending(alive=True), NOW)
    assert (held is None) is free


def test_a_turn_is_free_at_the_moment_when_the_last_function_must_have_ended() -> None:
    ended = Ending(at=NOW)
    late = NOW + ACTS
    assert holding("one").take_turn(claim("next"), ended, late - timedelta(seconds=1)) == "one"
    assert holding("one").take_turn(claim("next"), ended, late) is None
    assert holding("one").take_turn(claim("next"), Ending(), NOW) is None, "nobody knows of it"


def test_a_place_in_line_is_forgotten_long_after_it_was_given_up() -> None:
    turns = Turns(Table())
    turns.line_up("films", Place(False, NOW, "first"), NOW, timedelta(minutes=1))
    (row,) = turns._table.rows.values()
    assert row["expires"] > (NOW + timedelta(days=1)).timestamp()


def test_the_runs_of_a_group_are_told_the_newest_first(behind: Behind) -> None:
    turns = Turns(behind._table)
    for run in ("20260102T000000-b", "20260101T000000-a", "20260103T000000-c"):
        turns.record("films", run, {"status": "SUCCEEDED"})
    assert [one["run"][-1] for one in turns.runs("films")] == ["c", "b", "a"]


def test_each_groups_newest_config_and_its_folder_are_known(behind: Behind) -> None:
    turns = Turns(behind)
    turns.announce("films", "one", "01")
    turns.announce("books", "other", "01", "train/elsewhere/config.json")
    assert turns.folders() == {"films": "train/films/", "books": "train/elsewhere/"}
    assert {one["run"] for one in turns.newest()} == {"one", "other"}


def test_a_config_that_only_a_newer_release_can_read_is_about_to_be_written_anew() -> None:
    turns = Turns(Table())
    turns.announce("films", "run", "01")
    row = turns._table.rows["films", "CONFIG"]
    row[MARK] = {"version": 1000, "needs": 1000}
    assert turns.key("films") is None
