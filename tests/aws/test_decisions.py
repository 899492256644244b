"""A person's decisions: recorded first, done by one update, refused where they cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mpe.aws.decisions import BETWEEN, TRIES, DecisionRefused, Decisions
from mpe.aws.ledger import Ledger
from mpe.aws.personalize import Busy, Personalize
from mpe.model.gate.pointer import ModelPointer
from mpe.model.plan.desired import Desired, DesiredState
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, campaign, version
from tests.handlers.test_ensure import world as world
from tests.handlers.test_judging import ID, IMPOSSIBLE, Life
from tests.handlers.test_judging import life as life
from tests.handlers.test_runs import table

Decide = Callable[[Decisions], Iterator[str]]


@pytest.fixture
def held(life: Life) -> tuple[str, str]:
    """Return the version that is live, and a newer one that is held."""
    first = life.train()
    life.deploy(first)
    second = life.train(**IMPOSSIBLE)
    life.deploy(second)
    return first, second


def decisions(life: Life, by: str = "me", pointer: str | None = ID) -> Decisions:
    told = {"id": ID, "arn": f"{PLACE}campaign/live", "mode": "hold", "pinned": False}
    solution = Desired("solution.s", "Solution", "s", "$.s", {}, arn=life.solution)
    resources = {
        "solution.s": solution,
        "version.s": replace(version(life.solution), campaigns=(told,), gate=life.gate),
        ID: replace(campaign(f"{life.solution}/x"), id=ID, pointer=pointer),
    }
    return Decisions(
        DesiredState("films", "1", resources),
        Personalize(life.world.emulated.client),
        life.world.ledger,  # type: ignore[arg-type]
        by,
        "checked",
        life.world.emulated.clock(),
        pause=life.world.emulated.clock.advance,
    )


def do(life: Life, decision: Decide, by: str = "me") -> list[str]:
    told = list(decision(decisions(life, by)))
    life.world.emulated.clock.advance(3600)
    return told


def snapshot(life: Life) -> Any:
    ledger = life.world.ledger
    return dict(ledger.pointers), dict(ledger.decisions), life.serves


def test_an_approval_moves_the_campaign(life: Life, held: tuple[str, str]) -> None:
    do(life, lambda one: one.approve("s"))
    assert life.serves == held[1]
    pointer = life.world.ledger.pointers[ID]
    assert (pointer.version, pointer.former, pointer.by, pointer.held) == (
        held[1],
        held[0],
        "me",
        None,
    )
    assert life.world.ledger.decisions[held[1]]["why"] == "checked"
    life.judge_again()
    assert life.deploy(held[1]).did == "kept"


def test_the_second_of_two_approvals_is_refused(life: Life, held: tuple[str, str]) -> None:
    do(life, lambda one: one.approve("s"))
    before = snapshot(life)
    with pytest.raises(DecisionRefused, match="was approved by me at"):
        do(life, lambda one: one.approve("s"), by="another")
    assert snapshot(life) == before


def test_an_approval_that_was_killed_half_way_is_done_by_the_same_again(
    life: Life, held: tuple[str, str]
) -> None:
    life.world.ledger.decisions[held[1]] = {"word": "approved", "by": "me"}
    do(life, lambda one: one.approve("s"))
    assert life.serves == held[1]


def test_a_version_that_is_superseded_or_gone_is_refused_with_the_newest(
    life: Life, held: tuple[str, str]
) -> None:
    before = snapshot(life)
    for name, told in (("run-1", "is no longer the newest"), ("gone", "is not there")):
        with pytest.raises(DecisionRefused, match=f"{name} {told}: the newest is run-2"):
            do(life, lambda one, name=name: one.approve("s", name))  # type: ignore[misc]
    assert snapshot(life) == before


def test_a_rejected_version_is_never_promoted(life: Life, held: tuple[str, str]) -> None:
    do(life, lambda one: one.reject("s"))
    life.mode = "observe"
    life.judge_again()
    assert life.deploy(held[1]).did == "kept"
    assert life.serves == held[0]
    with pytest.raises(DecisionRefused, match="was rejected by me"):
        do(life, lambda one: one.reject("s"))


def test_who_rejected_a_version_may_approve_it_after_all(life: Life, held: tuple[str, str]) -> None:
    do(life, lambda one: one.reject("s"))
    do(life, lambda one: one.approve("s"))
    assert life.serves == held[1]


def test_what_is_served_is_not_rejected(life: Life, held: tuple[str, str]) -> None:
    do(life, lambda one: one.approve("s"))
    with pytest.raises(DecisionRefused, match="`mpe rollback` it instead"):
        do(life, lambda one: one.reject("s"))


def test_a_rollback_returns_to_the_version_before_with_one_update(
    life: Life, held: tuple[str, str]
) -> None:
    do(life, lambda one: one.approve("s"))
    do(life, lambda one: one.rollback("live"))
    assert life.serves == held[0]
    life.judge_again()
    assert life.deploy(held[1]).did == "kept", "no run returns to what was rolled back"
    third = life.train()
    assert life.deploy(third).did == "updated", "a newer one is another"


def test_a_rollback_waits_out_a_running_update(life: Life, held: tuple[str, str]) -> None:
    list(decisions(life).approve("s"))  # its update has just begun
    do(life, lambda one: one.rollback("live"))
    assert life.serves == held[0]


def test_to_roll_back_to_nothing_is_refused(life: Life) -> None:
    life.deploy(life.train())
    before = snapshot(life)
    with pytest.raises(DecisionRefused, match="name one with --to"):
        do(life, lambda one: one.rollback("live"))
    with pytest.raises(DecisionRefused, match="there is no version gone any more"):
        do(life, lambda one: one.rollback("live", "gone"))
    with pytest.raises(DecisionRefused, match="serves run-1 already"):
        do(life, lambda one: one.rollback("live", "run-1"))
    with pytest.raises(DecisionRefused, match="there is no campaign 'dead'"):
        do(life, lambda one: one.rollback("dead"))
    assert snapshot(life) == before


def test_a_rollback_to_a_former_version_that_is_gone_is_refused_before_anything(
    life: Life, held: tuple[str, str]
) -> None:
    do(life, lambda one: one.approve("s"))
    pointers = life.world.ledger.pointers
    pointers[ID] = replace(pointers[ID], former=f"{life.solution}/gone")
    before = snapshot(life)
    with pytest.raises(DecisionRefused, match="there is no version gone any more"):
        do(life, lambda one: one.rollback("live"))
    assert snapshot(life) == before


def test_a_frozen_campaign_is_moved_by_nothing(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    do(life, lambda one: one.freeze("live"))
    second = life.train()
    assert life.deploy(second).held == second
    assert life.serves == first
    with pytest.raises(DecisionRefused, match="`mpe unfreeze` it first"):
        do(life, lambda one: one.approve("s"))
    with pytest.raises(DecisionRefused, match="is frozen already"):
        do(life, lambda one: one.freeze("live"))
    do(life, lambda one: one.unfreeze("live"))
    life.judge_again()
    assert life.deploy(second).did == "updated"


def refused(life: Life, decision: Decide, told: str, **of: Any) -> None:
    """Check that a decision is refused with these words, and that nothing is changed by it."""
    before = snapshot(life)
    with pytest.raises(DecisionRefused, match=told):
        list(decision(decisions(life, **of)))
    assert snapshot(life) == before
    assert not life.world.ledger.decided


def test_what_is_not_there_is_refused_with_what_is(life: Life, held: tuple[str, str]) -> None:
    refused(life, lambda one: one.approve("x"), "there is no solution 'x'. Solutions: s.$")
    refused(life, lambda one: one.reject("x"), "there is no solution 'x'. Solutions: s.$")
    refused(life, lambda one: one.freeze("x"), "there is no campaign 'x'. Campaigns: live.$")
    refused(life, lambda one: one.unfreeze("live"), "live is not frozen")


def test_a_campaign_that_follows_no_gate_is_not_decided_about(
    life: Life, held: tuple[str, str]
) -> None:
    none = "no campaign of s follows a gate"
    refused(life, lambda one: one.approve("s"), none, pointer=None)
    refused(life, lambda one: one.reject("s"), none, pointer=None)
    for act in ("rollback", "freeze", "unfreeze"):
        refused(
            life,
            lambda one, act=act: getattr(one, act)("live"),  # type: ignore[misc]
            "live follows no gate",
            pointer=None,
        )


def test_without_any_campaign_or_solution_none_is_named() -> None:
    nothing = Decisions(
        DesiredState("films", "1", {}), Nobody(), Nobody(), "me", "", datetime.now(UTC)
    )  # type: ignore[arg-type]
    with pytest.raises(DecisionRefused, match="Solutions: none"):
        list(nothing.approve("s"))
    with pytest.raises(DecisionRefused, match="Campaigns: none"):
        list(nothing.freeze("live"))


def test_only_a_version_that_is_active_can_be_approved_or_gone_back_to(
    life: Life, held: tuple[str, str]
) -> None:
    made = life.world.emulated.client.create_solution_version(solutionArn=life.solution, name="new")
    assert life.serves == held[0]
    refused(life, lambda one: one.approve("s", "new"), "new is not there: the newest is run-2")
    refused(life, lambda one: one.rollback("live", "new"), "new is CREATE PENDING, and cannot be")
    do(life, lambda one: one.approve("s"))
    assert (life.serves, made["solutionVersionArn"].endswith("/new")) == (held[1], True)


def test_a_solution_without_a_version_has_none_to_approve(life: Life) -> None:
    client = life.world.emulated.client
    with pytest.raises(DecisionRefused, match="s has no version that is ACTIVE"):
        list(decisions(life).approve("s"))
    client.delete_solution(solutionArn=life.solution)
    life.world.emulated.clock.advance(3600)
    with pytest.raises(DecisionRefused, match="s has no version that is ACTIVE"):
        list(decisions(life).approve("s"))


def test_an_approval_before_there_is_a_campaign_is_what_it_will_be_made_of(life: Life) -> None:
    first = life.train(**IMPOSSIBLE)
    told = do(life, lambda one: one.approve("s"))
    assert told[1] == "live does not exist yet: upload the config again to create it"
    assert life.world.ledger.pointers[ID].version == first
    assert life.world.ledger.decided[0]["live"] == {"live": ""}
    with pytest.raises(DecisionRefused, match="the campaign live does not exist"):
        do(life, lambda one: one.rollback("live"))
    assert life.deploy(first).did == "created"


def test_each_decision_says_what_it_does(life: Life, held: tuple[str, str]) -> None:
    rejected = do(life, lambda one: one.reject("s"))
    assert rejected == ["rejected s/run-2: no run, pin or batch job brings it back"]
    approved = do(life, lambda one: one.approve("s", "run-2"))
    assert approved == ["approved s/run-2", "live moves from run-1 to run-2"]
    assert do(life, lambda one: one.rollback("live")) == ["live moves from run-2 to run-1"]
    frozen = do(life, lambda one: one.freeze("live"))
    assert frozen == ["froze live: no run moves it until `mpe unfreeze`"]
    assert do(life, lambda one: one.unfreeze("live")) == ["unfroze live: the next run may move it"]


@pytest.mark.parametrize(
    ("word", "decision"),
    [("approve", lambda one: one.approve("s")), ("reject", lambda one: one.reject("s"))],
)
def test_a_decision_is_told_once_it_is_kept(
    word: str, decision: Decide, life: Life, held: tuple[str, str]
) -> None:
    """Who is killed as it is told has decided, and there is a row of it."""
    next(decision(decisions(life)))
    assert [one["word"] for one in life.world.ledger.decided] == [word]


class Breaking:
    """A ledger whose pointers cannot be written."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def point(self, *_: Any) -> None:
        raise ConnectionError("the line is down")


@pytest.mark.parametrize("frozen", [False, True], ids=["freeze", "unfreeze"])
def test_a_decision_is_kept_before_the_pointer_moves(
    life: Life, held: tuple[str, str], frozen: bool
) -> None:
    if frozen:
        do(life, lambda one: one.freeze("live"))
    life.world.ledger.decided.clear()
    breaking: Any = Breaking(life.world.ledger)
    decided = replace(decisions(life), ledger=breaking)
    with pytest.raises(ConnectionError):
        list(decided.unfreeze("live") if frozen else decided.freeze("live"))
    words = [one["word"] for one in life.world.ledger.decided]
    assert words == ["unfreeze" if frozen else "freeze"]


def test_a_move_is_told_once_it_is_asked_for(life: Life, held: tuple[str, str]) -> None:
    told = decisions(life).approve("s")
    next(told)
    assert next(told) == "live moves from run-1 to run-2"
    client = life.world.emulated.client
    found = client.describe_campaign(campaignArn=f"{PLACE}campaign/live")["campaign"]
    assert found["latestCampaignUpdate"]["solutionVersionArn"] == held[1]


def test_where_a_campaign_serves_what_the_ledger_does_not_know_it_returns_to_that(
    life: Life, held: tuple[str, str]
) -> None:
    """Somebody has moved it by hand."""
    pointers = life.world.ledger.pointers
    pointers[ID] = replace(pointers[ID], version=f"{life.solution}/elsewhere", former=None)
    do(life, lambda one: one.approve("s"))
    assert (pointers[ID].version, pointers[ID].former) == (held[1], held[0])


def test_who_approves_what_is_served_already_keeps_what_was_before(
    life: Life, held: tuple[str, str]
) -> None:
    pointers, client = life.world.ledger.pointers, life.world.emulated.client
    client.update_campaign(campaignArn=f"{PLACE}campaign/live", solutionVersionArn=held[1])
    life.world.emulated.clock.advance(3600)
    assert do(life, lambda one: one.approve("s")) == ["approved s/run-2"]
    assert (pointers[ID].version, pointers[ID].former) == (held[1], held[0])


def test_of_a_campaign_that_was_deleted_it_is_known_what_it_served_before(
    life: Life, held: tuple[str, str]
) -> None:
    life.world.emulated.client.delete_campaign(campaignArn=f"{PLACE}campaign/live")
    life.world.emulated.clock.advance(3600)
    assert do(life, lambda one: one.approve("s"))[1].startswith("live does not exist yet")
    pointer = life.world.ledger.pointers[ID]
    assert (pointer.version, pointer.former) == (held[1], held[0])


def test_what_a_rollback_leaves_is_barred_though_the_ledger_did_not_know_it(
    life: Life, held: tuple[str, str]
) -> None:
    client, pointers = life.world.emulated.client, life.world.ledger.pointers
    client.update_campaign(campaignArn=f"{PLACE}campaign/live", solutionVersionArn=held[1])
    life.world.emulated.clock.advance(3600)
    do(life, lambda one: one.rollback("live", "run-1"))
    assert (life.serves, pointers[ID].barred) == (held[0], (held[1],))
    do(life, lambda one: one.approve("s"))
    assert (life.serves, pointers[ID].barred) == (held[1], ()), "a person may return to it"


def test_a_campaign_without_a_pointer_is_frozen_where_it_is(
    life: Life, held: tuple[str, str]
) -> None:
    life.world.ledger.pointers.clear()
    do(life, lambda one: one.freeze("live"))
    frozen = life.world.ledger.pointers[ID]
    assert (frozen.version, frozen.frozen) == (held[0], "checked")


class Updating:
    """A client to whom a campaign is being updated for so many tries."""

    def __init__(self, client: Any, tries: int) -> None:
        self._client, self.left = client, tries

    def __getattr__(self, name: str) -> Any:
        if name != "update_campaign" or not self.left:
            return getattr(self._client, name)
        self.left -= 1
        told = {"Code": "ResourceInUseException", "Message": "it is being updated"}
        raise ClientError({"Error": told}, name)


@pytest.mark.parametrize(("busy", "pauses"), [(0, 0), (2, 2), (TRIES - 1, TRIES - 1)])
def test_a_campaign_that_is_being_updated_is_tried_until_it_is_not(
    life: Life, held: tuple[str, str], busy: int, pauses: int
) -> None:
    slept = list[float]()
    client = Updating(life.world.emulated.client, busy)
    decided = replace(decisions(life), personalize=Personalize(client), pause=slept.append)
    list(decided.approve("s"))
    assert slept == [BETWEEN] * pauses
    assert life.world.ledger.pointers[ID].version == held[1]
    life.world.emulated.clock.advance(3600)
    assert life.serves == held[1]


def test_one_that_is_being_updated_for_ever_is_told_and_its_decision_stays(
    life: Life, held: tuple[str, str]
) -> None:
    """The next run moves the campaign to where its pointer is."""
    slept = list[float]()
    client = Updating(life.world.emulated.client, TRIES)
    decided = replace(decisions(life), personalize=Personalize(client), pause=slept.append)
    with pytest.raises(Busy):
        list(decided.approve("s"))
    assert slept == [BETWEEN] * (TRIES - 1)
    assert life.world.ledger.pointers[ID].version == held[1]


def test_a_decision_is_kept_with_its_gate_its_data_and_when_it_was(
    life: Life, held: tuple[str, str]
) -> None:
    ledger, now = life.world.ledger, life.world.emulated.clock()
    ledger.profiled("films", "import.items", "job", {"data": "of it"})
    ledger.imported("films", "import.items", "job", now)
    decided = decisions(life)
    resources = decided.state.resources
    named = {**resources, "version.for-you": resources["version.s"]}  # as a config has it
    list(replace(decided, state=replace(decided.state, resources=named)).approve("for-you"))
    do(life, lambda one: one.freeze("live"))
    approved, frozen = ledger.decided
    assert approved["at"] == now.isoformat(timespec="milliseconds")
    assert (approved["about"], frozen["about"]) == ("for-you", "live")
    assert approved["gate"] == life.gate
    assert approved["imports"] == {"import.items": {"job": "job", "data": "of it"}}
    assert (frozen["gate"], frozen["verdicts"]) == ({}, [])
    assert ledger.decisions[held[1]] == {
        "word": "approved", "by": "me", "why": "checked", "at": approved["at"],
    }  # fmt: skip


@mock_aws
def test_moves_within_a_second_have_each_a_row_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There and back: of one time and version two rows would be one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    ledger = Ledger(table("ledger"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    versions = ["s/9", "s/1", "s/9"]
    for count, arn in enumerate(versions):
        moment = now + timedelta(milliseconds=300 * count)
        state = DesiredState("films", "1", {})
        decided = Decisions(state, Nobody(), ledger, "me", "checked", moment)  # type: ignore[arg-type]
        ledger.point("films", ID, decided._moved(ModelPointer(), arn))
    assert [one.version for one in ledger.moves("films", ID)] == versions


class Nobody:
    """No service: nothing is asked."""


def test_each_decision_has_a_row_with_all_that_was_known(life: Life, held: tuple[str, str]) -> None:
    first, second = held
    do(life, lambda one: one.reject("s"), by="eve")
    do(life, lambda one: one.approve("s"), by="ann")
    do(life, lambda one: one.freeze("live"))
    do(life, lambda one: one.unfreeze("live"))
    do(life, lambda one: one.rollback("live"))
    kept = life.world.ledger.decided
    words = ["reject", "approve", "freeze", "unfreeze", "rollback"]
    assert [one["word"] for one in kept] == words
    approved = kept[1]
    assert (approved["by"], approved["why"], approved["version"]) == ("ann", "checked", second)
    assert approved["live"] == {"live": first}
    assert approved["metrics"].keys() == {first, second}
    assert approved["config"] == "1"
    reasons = approved["verdicts"][0]["reasons"]
    assert {"rule", "value", "limit"} <= reasons[0].keys()
    assert kept[2]["version"] == "", "a campaign is frozen whatever is trained"


def test_decisions_are_kept_once_and_read_in_their_order() -> None:
    with mock_aws():
        ledger = Ledger(table("ledger"))
        rows = [
            {"word": word, "about": "live", "at": f"2026-01-0{day}", "metrics": {"a": 0.5}}
            for day, word in ((2, "unfreeze"), (1, "freeze"))
        ]
        assert [ledger.note_decision("films", one) for one in (*rows, rows[0])] == [
            True, True, False,
        ]  # fmt: skip
        found = list(ledger.decided("films"))
        assert [one["word"] for one in found] == ["freeze", "unfreeze"]
        assert found[0]["metrics"] == {"a": 0.5}


def test_the_newest_imports_are_told_with_their_data() -> None:
    with mock_aws():
        ledger = Ledger(table("ledger"))
        for job, at in (("second", "2026-01-02"), ("first", "2026-01-01"), ("third", "2026-01-03")):
            row = {"profile": "{}", "data": f"of {job}", "at": at, "mode": "FULL"}
            ledger.profiled("films", "import.items", job, row)
        for job in ("first", "second"):
            ledger.imported("films", "import.items", job)
        assert ledger.imports("films") == {"import.items": {"job": "second", "data": "of second"}}


def test_an_import_that_was_done_has_the_services_time() -> None:
    """Versions are older or newer than it by that clock, whatever ours says."""
    with mock_aws():
        ledger = Ledger(table("ledger"))
        row = {"profile": "{}", "data": "of it", "at": "2026-01-01T02:00:00+00:00", "mode": "FULL"}
        ledger.profiled("films", "import.items", "one", row)
        ledger.imported("films", "import.items", "one", datetime(2026, 1, 1, tzinfo=UTC))
        (found,) = ledger.profiles("films", "import.items")
        assert (found["at"], found["imported"]) == ("2026-01-01T00:00:00+00:00", True)
