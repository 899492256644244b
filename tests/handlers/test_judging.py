"""Versions are judged once they are trained, and campaigns and batch jobs follow their pointers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from mpe.handlers.judging import CAMPAIGN_DRIFTED, MODEL_JUDGED
from mpe.model.gate.pointer import GATE, ModelPointer
from mpe.model.messages import message_for
from mpe.model.plan.desired import Desired
from mpe.model.plan.outcome import Outcome
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, REFUSALS, World, campaign, version
from tests.handlers.test_ensure import world as world

IMPOSSIBLE = {"metrics": {"coverage": {"atLeast": 1.5}}}
ID = "campaign.s.live"


@dataclass
class Life:
    """A solution with a campaign, trained again and again."""

    world: World
    solution: str
    gate: dict[str, Any]
    mode: str = "hold"
    pinned: bool = False
    runs: int = 0

    def train(self, **gate: Any) -> str:
        """Train a new version, have it judged, and return its ARN."""
        self.runs += 1
        self.world.emulated.clock.advance(60)
        told = {"id": ID, "arn": f"{PLACE}campaign/live", "mode": self.mode, "pinned": self.pinned}
        desired = replace(
            version(self.solution), gate={**self.gate, **gate, "refreshed": True}, campaigns=(told,)
        )
        now = self.world.emulated.clock()
        arn = self.world.follow(desired, f"run-{self.runs}", task=True, anew_since=now).arn
        assert arn
        return arn

    def look(self, *, max_age: int | None = None, **gate: Any) -> Outcome:
        """Look for a newer version, as a schedule ``judge`` does."""
        self.runs += 1
        told = {"id": ID, "arn": f"{PLACE}campaign/live", "mode": self.mode, "pinned": False}
        desired = replace(
            version(self.solution), gate={**self.gate, **gate}, campaigns=(told,), max_age=max_age
        )
        return self.world.follow(desired, f"run-{self.runs}", task=True, looks=True)

    def judge_again(self) -> None:
        told = {"id": ID, "arn": f"{PLACE}campaign/live", "mode": self.mode, "pinned": False}
        desired = replace(version(self.solution), gate=self.gate, campaigns=(told,))
        self.world.follow(desired, "again")

    def deploy(self, newest: str) -> Outcome:
        return self.world.follow(replace(campaign(newest), pointer=ID), f"run-{self.runs}")

    @property
    def serves(self) -> str:
        found = self.world.emulated.client.describe_campaign(campaignArn=f"{PLACE}campaign/live")
        return str(found["campaign"]["solutionVersionArn"])


@pytest.fixture
def life(world: World, build: Builder) -> Life:
    group = build.group()
    build.imported(group)
    return Life(world, build.solution(group), {"metrics": {"coverage": {"atLeast": 0.0}}})


def test_what_passes_is_served(life: Life) -> None:
    first = life.train()
    assert life.deploy(first).did == "created"
    second = life.train()
    assert life.deploy(second).did == "updated"
    assert life.serves == second
    pointer = life.world.ledger.pointers[ID]
    assert (pointer.version, pointer.former) == (second, first)


@pytest.mark.parametrize("error", REFUSALS, ids=lambda one: type(one).__name__)
def test_what_the_bus_refuses_for_good_is_judged_and_served_all_the_same(
    error: Exception, life: Life
) -> None:
    life.deploy(life.train())
    life.world.heard.refuses = error
    second = life.train()
    assert (life.deploy(second).failed, life.serves) == (None, second)


def test_what_does_not_pass_is_held_and_the_campaign_stays(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train(**IMPOSSIBLE)
    held = life.deploy(second)
    assert (held.did, held.held) == ("kept", second)
    assert life.serves == first
    (row,) = life.world.ledger.verdicts("films", second)
    assert (row["word"], row["live"], row["reasons"][0]["rule"]) == ("hold", first, "MPE-Q006")
    kind, detail = life.world.heard.told[-1]
    assert (kind, detail["Verdict"], detail["Promoted"]) == (MODEL_JUDGED, "hold", False)


def test_the_same_config_again_promotes_nothing_that_was_held(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train(**IMPOSSIBLE)
    life.judge_again()  # by a gate that would let it through
    assert life.deploy(second).did == "kept"
    assert life.serves == first


def test_a_held_first_version_makes_no_campaign(life: Life) -> None:
    first = life.train(**IMPOSSIBLE)
    held = life.deploy(first)
    assert (held.did, held.status, held.held, held.failed) == ("skipped", "HELD", first, None)
    assert life.world.emulated.client.list_campaigns()["campaigns"] == []


def test_an_approval_lets_it_be_served_at_the_next_run(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train(**IMPOSSIBLE)
    life.world.ledger.decisions[second] = {"word": "approved"}
    life.judge_again()
    assert life.deploy(second).did == "updated"
    assert life.serves == second


def test_to_observe_is_to_judge_and_to_hold_nothing(life: Life) -> None:
    life.mode = "observe"
    life.deploy(life.train())
    second = life.train(**IMPOSSIBLE)
    assert life.deploy(second).did == "updated"
    (row,) = life.world.ledger.verdicts("films", second)
    assert row["word"] == "hold"


def test_to_approve_is_to_wait_for_a_person_every_time(life: Life) -> None:
    life.mode = "approve"
    first = life.train()
    assert life.deploy(first).did == "skipped"
    life.world.ledger.decisions[first] = {"word": "approved"}
    life.judge_again()
    assert life.deploy(first).did == "created"


def test_a_pinned_campaign_is_judged_for_and_has_no_pointer(life: Life) -> None:
    life.pinned = True
    life.world.follow(campaign(life.train()))
    second = life.train(**IMPOSSIBLE)
    assert [row["word"] for row in life.world.ledger.verdicts("films", second)] == ["hold"]
    assert life.world.ledger.pointers == {}


def test_batch_jobs_follow_the_pointer(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train(**IMPOSSIBLE)
    job = Desired("job", "Campaign", "other", "$.b", {"name": "other"}, pointer=ID)
    given = replace(
        job, params={**job.params, "solutionVersionArn": second}, arn=f"{PLACE}campaign/other"
    )
    life.world.follow(given)
    found = life.world.emulated.client.describe_campaign(campaignArn=f"{PLACE}campaign/other")
    assert found["campaign"]["solutionVersionArn"] == first


def test_what_the_campaign_serves_wins_over_the_ledger(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train(**IMPOSSIBLE)
    life.world.emulated.client.update_campaign(
        campaignArn=f"{PLACE}campaign/live", solutionVersionArn=second
    )
    life.world.emulated.clock.advance(3600)
    life.train(**IMPOSSIBLE)
    pointer = life.world.ledger.pointers[ID]
    assert (pointer.version, pointer.by) == (second, "what the campaign serves")
    (told,) = drifts(life)
    message = message_for(CAMPAIGN_DRIFTED, told, region="us-east-1")
    assert message.subject.endswith("campaign live was moved by other means")
    ids = [one.rpartition("/")[2] for one in (first, second)]
    assert f"mpe models diff films for-you {ids[0]} {ids[1]}" in message.text
    assert f"mpe rollback films live --to {ids[0]} --why ..." in message.text
    life.train(**IMPOSSIBLE)
    assert len(drifts(life)) == 1, "it is told once"


def drifts(life: Life) -> list[dict[str, Any]]:
    return [detail for kind, detail in life.world.heard.told if kind == CAMPAIGN_DRIFTED]


def test_what_somebody_moved_back_by_other_means_is_told(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train()
    life.deploy(second)
    assert life.serves == second
    life.world.emulated.clock.advance(3600)
    life.world.emulated.client.update_campaign(
        campaignArn=f"{PLACE}campaign/live", solutionVersionArn=first
    )
    life.world.emulated.clock.advance(3600)
    life.train(**IMPOSSIBLE)
    (told,) = drifts(life)
    assert (told["Version"], told["Recorded"], told["To"]) == (first, second, None)


def test_what_was_moved_by_other_means_goes_on_to_what_its_gate_lets_it(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    second = life.train()
    life.deploy(second)
    life.world.emulated.clock.advance(3600)
    life.world.emulated.client.update_campaign(
        campaignArn=f"{PLACE}campaign/live", solutionVersionArn=first
    )
    life.world.emulated.clock.advance(3600)
    life.judge_again()
    (told,) = drifts(life)
    assert told["To"] == second
    text = message_for(CAMPAIGN_DRIFTED, told, region="us-east-1").text
    assert f"This run moves it on to {second}" in text
    life.deploy(second)
    assert life.serves == second


def test_what_a_killed_run_has_not_moved_yet_is_no_drift(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    life.train()  # and its pointer moves, but no campaign
    life.world.emulated.clock.advance(3600)
    third = life.train()
    assert drifts(life) == []
    life.deploy(third)
    assert life.serves == third


def refused_metrics(life: Life) -> str:
    fault = life.world.emulated.service.faults
    fault.error("GetSolutionMetrics", "InvalidInputException", "There are no metrics.")
    return life.train()


def test_a_version_without_metrics_is_inconclusive_and_passes_a_gate_that_holds(life: Life) -> None:
    life.deploy(life.train())
    second = refused_metrics(life)
    (row,) = life.world.ledger.verdicts("films", second)
    assert (row["word"], row["reasons"][0]["rule"]) == ("inconclusive", "MPE-Q010")
    assert life.deploy(second).did == "updated"
    assert life.serves == second


def test_a_version_without_metrics_waits_where_a_person_decides(life: Life) -> None:
    first = life.train()
    life.deploy(first)
    life.mode = "approve"
    second = refused_metrics(life)
    assert life.deploy(second).did == "kept"
    assert life.serves == first


@pytest.fixture
def failed(life: Life) -> tuple[str, str]:
    """Return the version that is served, and a newer one that no update has got to."""
    first = life.train()
    life.deploy(first)
    second = life.train()
    life.world.emulated.service.faults.fail_update("Campaign", "no capacity")
    outcome = life.deploy(second)
    assert outcome.failed
    assert outcome.failed.reason == "no capacity"
    return first, second


def test_an_update_that_failed_leaves_the_version_before_and_holds_the_newer_one(
    life: Life, failed: tuple[str, str]
) -> None:
    first, second = failed
    pointer = life.world.ledger.pointers[ID]
    assert (life.serves, pointer.version, pointer.held) == (first, first, second)
    assert pointer.reason == "the update to it failed: no capacity"


@pytest.mark.parametrize("gated", [True, False])
def test_a_campaign_that_could_not_be_made_fails_in_the_services_words(
    life: Life, gated: bool
) -> None:
    first = life.train()
    life.world.emulated.service.faults.fail("Campaign", "live", "no capacity")
    failed = (life.deploy(first) if gated else life.world.follow(campaign(first))).failed
    assert failed
    assert failed.reason == "no capacity"


def test_an_update_that_no_gate_asked_for_fails_in_the_services_words(life: Life) -> None:
    life.world.follow(campaign(life.train()))
    life.world.emulated.service.faults.fail_update("Campaign", "no capacity")
    failed = life.world.follow(campaign(life.train()), "next").failed
    assert failed
    assert failed.reason == "no capacity"


def test_an_update_that_failed_is_not_tried_again_at_each_run(
    life: Life, failed: tuple[str, str]
) -> None:
    first, second = failed
    for _ in range(2):
        life.judge_again()
        outcome = life.deploy(second)
        assert (outcome.did, outcome.failed, outcome.held) == ("kept", None, second)
    assert life.serves == first
    third = life.train()
    assert life.deploy(third).did == "updated", "a newer version is tried"
    assert life.serves == third


def test_a_run_that_was_killed_before_it_heard_of_the_failure_holds_it_as_well(
    life: Life, failed: tuple[str, str]
) -> None:
    first, second = failed
    at = "2000-01-01T00:00:00+00:00"
    before = ModelPointer(first, at=at)
    life.world.ledger.pointers[ID] = before.moved(second, by=GATE, why="pass", at=at)
    life.judge_again()
    assert (life.deploy(second).did, life.serves) == ("kept", first)
    assert "no capacity" in life.world.ledger.pointers[ID].reason


def test_who_asks_for_it_again_is_not_stopped_by_the_failure(
    life: Life, failed: tuple[str, str]
) -> None:
    """Killed between the pointer and the update, as an approval may be."""
    _, second = failed
    life.world.emulated.clock.advance(60)
    ledger, at = life.world.ledger, life.world.emulated.clock().isoformat()
    ledger.decisions[second] = {"word": "approved"}
    ledger.pointers[ID] = ledger.pointers[ID].moved(second, by="ann", why="again", at=at)
    life.judge_again()
    assert (life.deploy(second).did, life.serves) == ("updated", second)


@pytest.fixture
def automatic(world: World, build: Builder) -> Life:
    """A solution that the service trains every week where there is new data."""
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group, performAutoTraining=True)
    life = Life(world, solution, {"metrics": {"coverage": {"atLeast": 0.0}}})
    for _ in range(2):  # who looks has it begin, and the next who looks finds it done
        world.emulated.clock.advance(4 * 3600)
        versions(life)
    life.deploy(life.look().arn or "")
    build.begin_import(dataset, name="newer")
    for days in (8, 1):
        world.emulated.clock.advance(days * 86_400)
        versions(life)
    return life


def versions(life: Life) -> list[str]:
    """Return what the solution has, by kind of training."""
    client, found = life.world.emulated.client, []
    for one in client.list_solution_versions(solutionArn=life.solution)["solutionVersions"]:
        arn = one["solutionVersionArn"]
        told = client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
        found.append(told["trainingType"])
    return found


def test_a_schedule_judges_what_the_service_has_trained_by_itself(automatic: Life) -> None:
    first = automatic.serves
    held = automatic.look(**IMPOSSIBLE)
    assert (held.did, held.arn == first) == ("adopted", False)
    assert automatic.deploy(str(held.arn)).did == "kept"
    assert automatic.serves == first
    assert automatic.world.ledger.numbers[str(held.arn)].run is None
    assert set(versions(automatic)) == {"AUTOMATIC"}, "it has trained nothing itself"


def test_what_the_service_trained_and_passes_is_served_and_judged_once(automatic: Life) -> None:
    newest = str(automatic.look().arn)
    assert automatic.deploy(newest).did == "updated"
    judged = len([one for one, _ in automatic.world.heard.told if one == MODEL_JUDGED])
    assert automatic.look(max_age=60).did == "kept", "nor is it trained again for its age"
    assert len([one for one, _ in automatic.world.heard.told if one == MODEL_JUDGED]) == judged
    assert set(versions(automatic)) == {"AUTOMATIC"}


def test_with_observe_the_next_run_judges_what_the_service_has_trained(automatic: Life) -> None:
    automatic.mode, first = "observe", automatic.serves
    automatic.judge_again()
    (pointer,) = automatic.world.ledger.pointers.values()
    assert pointer.version != first
    (row,) = automatic.world.ledger.verdicts("films", str(pointer.version))
    assert row["mode"] == "observe"
    assert set(versions(automatic)) == {"AUTOMATIC"}


def test_a_version_in_training_is_not_waited_for_by_a_look(life: Life) -> None:
    first = life.train()
    life.world.emulated.client.create_solution_version(solutionArn=life.solution)
    before = life.world.emulated.clock()
    assert life.look().arn == first
    assert life.world.emulated.clock() == before


def test_a_look_where_nothing_is_trained_fails_and_trains_nothing(life: Life) -> None:
    told = life.look()
    assert told.failed
    assert (told.failed.error, versions(life)) == ("NothingToJudge", [])
