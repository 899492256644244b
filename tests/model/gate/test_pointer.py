"""A campaign's pointer moves by recorded decisions alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from mpe.model.gate.pointer import GATE, ModelPointer, judged, undone

AT = "2026-01-01T00:00:00+00:00"


def after(pointer: ModelPointer | None = None, **given: Any) -> ModelPointer:
    told = {"live": "1", "newest": "2", "decision": None, "passes": True, "reason": "", "at": AT}
    return judged(pointer, **{**told, **given})


def test_it_follows_what_passes_and_remembers_what_was_before() -> None:
    moved = after()
    assert (moved.version, moved.former, moved.held) == ("2", "1", None)


def test_it_stays_where_the_newest_does_not_pass() -> None:
    stays = after(passes=False, reason="it is worse.")
    assert (stays.version, stays.held, stays.reason) == ("1", "2", "it is worse.")
    assert after(stays, passes=False, reason="it is worse.") == stays, (
        "uploading again moves nothing"
    )


def test_a_first_version_that_does_not_pass_is_served_by_nothing() -> None:
    assert after(live=None, passes=False, reason="no use").version is None


def test_a_persons_word_counts_more_than_the_gates() -> None:
    held = after(passes=False, reason="worse")
    assert after(held, passes=False, decision="approved").version == "2"
    assert after(decision="rejected").version == "1"


def test_a_rejected_version_is_not_promoted_by_another_mode() -> None:
    assert after(passes=True, decision="rejected").held == "2"


@pytest.mark.parametrize("decision", [None, "approved"])
def test_a_frozen_campaign_stays(decision: Any) -> None:
    frozen = ModelPointer("1", frozen="a sale")
    stays = after(frozen, decision=decision)
    assert (stays.version, stays.reason) == ("1", "the campaign is frozen: a sale")


def test_what_was_rolled_back_is_not_returned_to_by_the_gate() -> None:
    back = ModelPointer("2", former="1").rolled_back("1", by="me", why="bad", at=AT)
    assert (back.version, back.barred) == ("1", ("2",))
    assert after(back, live="1").version == "1"
    assert after(back, live="1", decision="approved").version == "1", "approved before that"
    assert after(back, live="1", newest="3").version == "3", "a newer one is another"


def test_a_rollback_that_was_killed_half_way_is_completed() -> None:
    """The pointer was moved, and the campaign still serves what was rolled back."""
    back = ModelPointer("2", former="1").rolled_back("1", by="me", why="bad", at=AT)
    assert after(back, live="2").version == "1"


def test_what_the_campaign_serves_wins_over_an_older_ledger() -> None:
    restored = ModelPointer("0")
    told = after(restored, live="1", passes=False, reason="worse")
    assert (told.version, told.former, told.by) == ("1", "0", "what the campaign serves")


def test_it_is_read_back_as_it_was_kept() -> None:
    pointer = ModelPointer("2", "1", by="me", why="w", at=AT, barred=("0",), frozen="f", held="3")
    assert ModelPointer.from_dict({**pointer.as_dict(), "group": "films"}) == pointer


def test_a_move_back_that_was_noted_and_not_done_is_no_second_one() -> None:
    """A function is killed between the row of the move and the pointer, and comes again."""
    moment = datetime.fromisoformat(AT)

    def back(pointer: ModelPointer, minutes: int, moves: list[ModelPointer]) -> ModelPointer:
        at = moment + timedelta(minutes=minutes)
        return undone(pointer, "1", why="worse", at=at, moves=moves)

    first = ModelPointer().moved("1", by=GATE, why="pass", at=AT)
    at = (moment + timedelta(minutes=10)).isoformat(timespec="milliseconds")
    second = first.moved("2", by=GATE, why="pass", at=at)
    noted = back(second, 20, [first, second])
    again = back(second, 21, [first, second, noted])
    assert (again.version, again.frozen) == ("1", None)
    at = (moment + timedelta(minutes=30)).isoformat(timespec="milliseconds")
    third = again.moved("3", by=GATE, why="pass", at=at)
    assert back(third, 40, [first, second, noted, again, third]).frozen is not None
