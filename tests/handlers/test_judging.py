"""Versions are judged once they are trained, and campaigns and batch jobs follow their pointers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mpe.aws.personalize import Personalize
from mpe.handlers.judging import CAMPAIGN_DRIFTED, MODEL_JUDGED, Judging
from mpe.model.gate.pointer import GATE, ModelPointer
from mpe.model.gate.versions import Version
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
    assert detail["Campaign"] == "live"


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


NDCG = "normalized_discounted_cumulative_gain_at_10"
SOLUTION = f"{PLACE}solution/films"


@dataclass
class Known:
    """A solution whose versions are known by their numbers alone, and jobs that follow it."""

    world: World
    gate: dict[str, Any] = field(default_factory=dict)
    campaigns: tuple[dict[str, Any], ...] = ({"id": ID, "mode": "hold", "pinned": False},)

    def weigh(self, name: str, day: int, solution: str = SOLUTION, **metrics: float) -> str:
        """Know a version that was trained on some day, and return its ARN."""
        arn, created = f"{solution}/{name}", f"2026-01-{day:02}T00:00:00+00:00"
        self.world.ledger.numbers[arn] = Version(arn, metrics, created=created)
        return arn

    def judge(self, newest: str) -> dict[str, Any]:
        """Judge a version, and return what is thought of it for the first campaign."""
        world = self.world
        judging = Judging(
            Personalize(world.emulated.client),
            world.ledger,  # type: ignore[arg-type]
            world.heard,
            world.ensure.clock,
            "Films",
            "run-1",
        )
        desired = replace(version(SOLUTION), name="films", gate=self.gate)
        judging("films", replace(desired, campaigns=self.campaigns), newest)
        return world.ledger.judged.get((newest, ID), {})

    @property
    def pointer(self) -> ModelPointer:
        return self.world.ledger.pointers[ID]

    def point(self, arn: str) -> None:
        self.world.ledger.pointers[ID] = ModelPointer(arn)

    def told(self) -> list[dict[str, Any]]:
        return [detail for kind, detail in self.world.heard.told if kind == MODEL_JUDGED]


@pytest.fixture
def known(world: World) -> Known:
    return Known(world)


def test_what_is_noise_is_known_from_the_versions_in_the_order_of_their_training(
    known: Known,
) -> None:
    """They get ever better, by less than a tenth; in the ledger's own order they vary widely."""
    days = [1, 7, 2, 6, 3, 5, 4]
    arns = {day: known.weigh(f"v{day}", day, **{NDCG: 0.1 + 0.01 * day}) for day in days}
    known.point(arns[7])
    row = known.judge(known.weigh("worse", 8, **{NDCG: 0.136}))
    (reason,) = row["reasons"]
    assert (row["word"], reason["rule"], reason["limit"]) == ("hold", "MPE-Q007", -0.1)


def test_what_is_noise_is_not_known_from_few_versions_nor_from_the_new_one(known: Known) -> None:
    arns = [known.weigh(f"v{day}", day, **{NDCG: 0.2}) for day in range(1, 6)]
    known.point(arns[-1])
    assert known.judge(known.weigh("worse", 8, **{NDCG: 0.16}))["word"] == "inconclusive"


def test_a_version_is_held_to_the_newest_of_the_baseline(known: Known) -> None:
    known.gate = {"baseline": {"solution": "popular", "lift": 1.1}}
    popular = f"{PLACE}solution/popular"
    known.weigh("older", 1, popular, **{NDCG: 0.1})
    known.weigh("newer", 2, popular, **{NDCG: 0.2})
    row = known.judge(known.weigh("v1", 3, **{NDCG: 0.15}))
    (reason,) = row["reasons"]
    assert (row["word"], round(reason["value"], 2)) == ("hold", 0.75)


def test_a_baseline_of_which_no_version_is_known_tells_nothing(known: Known) -> None:
    known.gate = {"baseline": {"solution": "popular"}}
    row = known.judge(known.weigh("v1", 3, **{NDCG: 0.15}))
    assert (row["word"], row["reasons"][0]["rule"]) == ("inconclusive", "MPE-Q009")


@pytest.mark.parametrize("refreshed", [True, False])
def test_what_was_judged_is_kept_with_all_that_it_was_judged_by(
    known: Known, refreshed: bool
) -> None:
    known.gate = {"mode": "hold", "refreshed": refreshed}
    known.world.emulated.clock.advance(0.25)
    live = known.weigh("v1", 1, **{NDCG: 0.2})
    known.point(live)
    newest = known.weigh("v2", 2, **{NDCG: 0.21})
    row = known.judge(newest)
    expected = {
        "word": "pass",
        "mode": "hold",
        "live": live,
        "pinned": False,
        "refreshed": refreshed,
        "at": "2026-01-01T00:00:00+00:00",
        "by": GATE,
        "run": "run-1",
        "metrics": {newest: {NDCG: 0.21}, live: {NDCG: 0.2}},
        "gate": known.gate,
    }
    assert {key: row[key] for key in expected} == expected
    (told,) = known.told()
    assert told == {
        "DatasetGroup": "films",
        "Solution": "films",
        "Version": newest,
        "Campaign": None,
        "Verdict": "pass",
        "Promoted": True,
        "Reasons": [],
    }
    assert (known.pointer.version, known.pointer.former) == (newest, live)
    assert known.pointer.at == "2026-01-01T00:00:00.250+00:00"


def test_what_is_served_already_is_not_judged_and_what_was_judged_is_not_judged_again(
    known: Known,
) -> None:
    first = known.weigh("v1", 1, **{NDCG: 0.2})
    known.point(first)
    assert known.judge(first) == {}
    second = known.weigh("v2", 2, **{NDCG: 0.1})
    known.gate = {"metrics": {NDCG: {"atLeast": 0.15}}}
    assert known.judge(second)["word"] == "hold"
    known.gate = {}
    assert known.judge(second)["word"] == "hold"
    assert len(known.told()) == 1
    assert (known.pointer.version, known.pointer.held) == (first, second)
    assert "at least 0.1500 is wanted" in known.pointer.reason


def test_a_version_that_somebody_approved_is_served_though_it_was_held(known: Known) -> None:
    known.gate = {"metrics": {NDCG: {"atLeast": 0.15}}}
    newest = known.weigh("v1", 1, **{NDCG: 0.1})
    known.judge(newest)
    assert known.pointer.version is None
    known.world.ledger.decisions[newest] = {"word": "approved"}
    known.judge(newest)
    assert (known.pointer.version, known.pointer.why) == (newest, "approved")


def test_a_version_that_waits_for_approval_says_so(known: Known) -> None:
    known.campaigns = ({"id": ID, "mode": "approve", "pinned": False},)
    newest = known.weigh("v1", 1, **{NDCG: 0.1})
    known.judge(newest)
    waits = "it passed, and waits for somebody's approval."
    assert (known.pointer.held, known.pointer.reason) == (newest, waits)
    assert known.told()[0]["Promoted"] is False


def test_what_passed_says_so_where_it_is_served(known: Known) -> None:
    known.judge(known.weigh("v1", 1, **{NDCG: 0.1}))
    assert known.pointer.why == "pass"


def test_of_a_pinned_campaign_it_is_told_that_the_version_is_not_served(known: Known) -> None:
    known.campaigns = ({"id": ID, "mode": "hold", "pinned": True},)
    assert known.judge(known.weigh("v1", 1, **{NDCG: 0.1}))["pinned"] is True
    assert known.told()[0]["Promoted"] is False
    assert known.world.ledger.pointers == {}


def test_each_campaign_of_a_solution_is_judged_for_and_pointed(known: Known) -> None:
    beta = "campaign.s.beta"
    both = ({"id": beta, "mode": "approve", "pinned": False}, *known.campaigns)
    known.campaigns = both
    newest = known.weigh("v1", 1, **{NDCG: 0.1})
    known.judge(newest)
    pointers = known.world.ledger.pointers
    assert (pointers[beta].version, pointers[ID].version) == (None, newest)


def test_a_verdict_that_could_not_be_told_is_told_by_the_next_look(known: Known) -> None:
    newest = known.weigh("v1", 1, **{NDCG: 0.1})
    known.world.heard.refuses = ConnectionError("the bus is away")
    with pytest.raises(ConnectionError):
        known.judge(newest)
    known.world.heard.refuses = None
    known.judge(newest)
    assert len(known.told()) == 1


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
