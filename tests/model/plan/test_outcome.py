"""What one step did to one resource, from look to look."""

from __future__ import annotations

from mpe.model.plan.desired import Desired
from mpe.model.plan.outcome import Failure, Outcome

BEGUN = Outcome.of(Desired("campaign.live", "Campaign", "live", "$.campaigns[0]", {}))


def test_an_outcome_fails_or_waits_or_is_ready_and_never_two_of_them() -> None:
    failed = BEGUN.waiting(5, did="created").failing("ResourceFailed", "no luck")
    assert (failed.wait, failed.failed) == (None, Failure("ResourceFailed", "no luck"))
    waits = failed.waiting(7, blocked=3)
    assert (waits.wait, waits.failed, waits.did, waits.blocked) == (7, None, "created", 3)
    assert not waits.settled
    for ready in (waits.ready(), failed.ready()):
        assert (ready.wait, ready.failed, ready.did) == (None, None, "created")
        assert ready.settled


def test_what_nothing_was_done_to_is_kept() -> None:
    assert BEGUN.ready().did == "kept"
    assert BEGUN.ready(did="adopted").did == "adopted"


def test_an_outcome_goes_from_call_to_call_without_what_is_not_so() -> None:
    failed = BEGUN.failing("ResourceFailed", "no luck")
    for one in (BEGUN, BEGUN.waiting(5, did="created"), failed):
        assert Outcome.from_dict(one.as_dict()) == one
    assert BEGUN.as_dict().keys() == {
        "resource", "noun", "name", "path", "status", "blocked", "form",
    }  # fmt: skip
