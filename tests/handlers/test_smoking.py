"""A campaign is asked before and after it moves; what answers badly is rolled back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.lists import Lists
from mpe.handlers.smoking import CAMPAIGN_PROBED, ROLLED_BACK
from mpe.model.gate.pointer import GATE, ModelPointer
from mpe.model.plan.desired import Data, Desired
from mpe.model.plan.outcome import Outcome
from mpe.model.service.recipes import USER_PERSONALIZATION, USER_SEGMENTATION
from tests.conftest import interactions
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, REFUSALS, World, campaign, logged
from tests.handlers.test_ensure import world as world

ID = "campaign"
FILE = "s3://data/train/films/interactions.csv"
LIVE = f"{PLACE}campaign/live"


@dataclass
class Watched:
    """The runtime, with what it was asked, and which may be made to fail."""

    client: Any
    error: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def get_recommendations(self, **params: Any) -> Any:
        self.asked.append(params)
        if self.error:
            told = {"Error": {"Code": self.error, "Message": "no"}}
            raise ClientError(told, "GetRecommendations")  # type: ignore[arg-type]
        return self.client.get_recommendations(**params)


class Life:
    """A campaign that moves from version to version."""

    def __init__(self, world: World, build: Builder) -> None:
        self.world, self.build, self.runs = world, build, 0
        self.runtime, self.pauses = Watched(build.emulated.runtime), list[float]()
        lists = Lists(self.runtime, self.pauses.append)
        world.ensure = replace(world.ensure, lists=lists)
        build.emulated.objects.objects[FILE] = interactions()
        self.group = build.group()
        self.dataset = build.imported(self.group)
        self.solution = build.solution(self.group)
        self.mode, self.filters = "hold", list[str]()
        self.smoke = dict[str, Any]()
        self.tps: int | None = 5
        self.gate: dict[str, Any] | None = None
        """What stands for the gate of before, where something else is said."""

    def train(self, body: str | None = None) -> str:
        if body:
            self.build.begin_import(self.dataset, body, name=f"job-{self.runs}")
            self.build.wait(900)
        self.build.wait(60)
        return self.build.version(self.solution)

    def desired(self, version: str) -> Desired:
        own = {"mode": self.mode, "smoke": self.smoke, "recipe": USER_PERSONALIZATION}
        gate = self.gate or {**own, "probes": "smoke/films/s.csv", "filters": self.filters}
        made = replace(campaign(version, tps=self.tps or 1), pointer=ID, gate=gate)
        if self.tps is not None:
            return made
        return replace(made, params={"name": "live", "solutionVersionArn": version})

    def move(self, version: str) -> Outcome:
        """Let a run move the campaign, as a gate that has judged the version lets it."""
        self.runs += 1
        data = Data.csvs("data", "train/films/interactions")
        read = Desired("import.interactions", "DatasetImportJob", "i", "$.i", {}, data=data)
        self.point(version)
        return self.world.follow(self.desired(version), f"run-{self.runs}", interactions=read)

    def point(self, version: str) -> None:
        now = self.world.emulated.clock().isoformat(timespec="milliseconds")
        before = self.world.ledger.pointers.get(ID, ModelPointer())
        self.world.ledger.pointers[ID] = before.moved(version, by=GATE, why="pass", at=now)

    @property
    def serves(self) -> str:
        found = self.world.emulated.client.describe_campaign(campaignArn=LIVE)["campaign"]
        return str(found["solutionVersionArn"])

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [detail for one, detail in self.world.heard.told if one == kind]


@pytest.fixture
def life(world: World, build: Builder) -> Life:
    return Life(world, build)


OTHER = interactions().replace(",i", ",film-")
"""The same, with ids that are written anew: its lists have nothing of those before."""


def test_a_first_version_is_asked_once_it_serves(life: Life) -> None:
    first = life.train()
    outcome = life.move(first)
    assert (outcome.did, outcome.told, life.serves) == ("created", "minProvisionedTPS: 5", first)
    (probed,) = life.told(CAMPAIGN_PROBED)
    assert (probed["Verdict"], probed["Campaign"], probed["Version"]) == ("pass", "live", first)
    assert len(life.runtime.asked) == 20
    assert {one["campaignArn"] for one in life.runtime.asked} == {LIVE}


def test_a_campaign_is_asked_before_it_moves_and_again_after(life: Life) -> None:
    first = life.train()
    life.move(first)
    life.runtime.asked.clear()
    second = life.train(interactions(seed=8))
    outcome = life.move(second)
    assert (outcome.did, life.serves) == ("updated", second)
    assert outcome.told == f'solutionVersionArn: "{first}" -> "{second}"'
    users = [one["userId"] for one in life.runtime.asked]
    assert users[:20] == users[20:]
    assert life.told(CAMPAIGN_PROBED)[-1]["Verdict"] == "pass"


@pytest.mark.parametrize("error", REFUSALS, ids=lambda one: type(one).__name__)
def test_an_event_that_the_bus_refuses_for_good_fails_no_campaign_and_no_rollback(
    error: Exception, life: Life
) -> None:
    first = life.train()
    life.move(first)
    life.world.heard.refuses = error
    outcome = life.move(life.train(OTHER))
    assert (outcome.failed, life.serves) == (None, first)


def test_it_is_asked_no_faster_than_its_capacity(life: Life) -> None:
    life.move(life.train())
    assert life.pauses == [1 / 5] * 20


def test_wholly_other_lists_are_rolled_back_by_one_update(life: Life) -> None:
    first = life.train()
    life.move(first)
    second = life.train(OTHER)
    outcome = life.move(second)
    assert (outcome.failed, outcome.held, life.serves) == (None, second, first)
    assert "the smoke test failed" in str(outcome.told)
    assert "[MPE-Q024] It was rolled back." in str(outcome.told)
    pointer = life.world.ledger.pointers[ID]
    assert (pointer.version, pointer.barred, pointer.by) == (first, (second,), GATE)
    (back,) = life.told(ROLLED_BACK)
    assert (back["Version"], back["To"]) == (second, first)
    assert life.world.measured.rollbacks == ["live"]
    kinds = {kind for kind, _ in life.world.heard.told}
    assert kinds == {CAMPAIGN_PROBED, ROLLED_BACK}, "the run's own mail tells people"


def test_what_was_rolled_back_comes_back_by_no_run(life: Life) -> None:
    first = life.train()
    life.move(first)
    second = life.train(OTHER)
    life.move(second)
    asked = len(life.runtime.asked)
    again = life.world.follow(life.desired(second), "again")
    assert (again.did, life.serves) == ("kept", first)
    assert len(life.runtime.asked) == asked, "a version is asked once"


def test_to_observe_is_to_tell_and_to_leave_it(life: Life) -> None:
    life.mode = "observe"
    life.move(life.train())
    second = life.train(OTHER)
    outcome = life.move(second)
    assert (outcome.held, life.serves) == (None, second)
    assert "the smoke test failed" in str(outcome.told)
    assert "rolled back" not in str(outcome.told)
    assert life.told(ROLLED_BACK) == []


def test_what_a_person_approved_is_not_rolled_back(life: Life) -> None:
    life.move(life.train())
    second = life.train(OTHER)
    life.world.ledger.decisions[second] = {"word": "approved"}
    outcome = life.move(second)
    assert life.serves == second
    assert "the smoke test failed" in str(outcome.told)


def test_a_second_rollback_within_a_week_freezes_the_campaign(life: Life) -> None:
    first = life.train()
    life.move(first)
    second = life.train(OTHER)
    life.move(second)
    life.world.ledger.moved[ID] = [life.world.ledger.pointers[ID]]
    life.move(life.train(OTHER))
    assert "twice within seven days" in str(life.world.ledger.pointers[ID].frozen)
    assert life.serves == first


def test_after_a_week_it_does_not_and_both_stay_barred(life: Life) -> None:
    life.move(life.train())
    second = life.train(OTHER)
    life.move(second)
    life.world.ledger.moved[ID] = [life.world.ledger.pointers[ID]]
    life.world.emulated.clock.advance(timedelta(days=8).total_seconds())
    third = life.train(OTHER)
    life.move(third)
    pointer = life.world.ledger.pointers[ID]
    assert (pointer.frozen, pointer.barred) == (None, (second, third))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_who_may_not_ask_tells_it_and_fails_nothing(life: Life, code: str) -> None:
    life.move(life.train())
    life.runtime.error = code
    second = life.train(OTHER)
    outcome = life.move(second)
    assert (outcome.failed, life.serves) == (None, second)
    assert f"the smoke test is inconclusive: it was not asked: {code}" in str(outcome.told)


def test_probes_of_ones_own_are_asked_for(life: Life) -> None:
    life.build.emulated.objects.objects["s3://data/smoke/films/s.csv"] = "USER_ID\nu7\nu8\n"
    life.move(life.train())
    asked = [one["userId"] for one in life.runtime.asked]
    assert asked[:2] == ["u7", "u8"]
    assert all(one.startswith("mpe-probe-") for one in asked[2:])


def test_data_that_may_not_be_read_leaves_strangers(life: Life) -> None:
    life.world.bucket.denied = True
    life.move(life.train())
    assert {one["userId"].rpartition("-")[0] for one in life.runtime.asked} == {"mpe-probe"}


def test_a_rollback_whose_update_has_to_wait_is_done_later(life: Life) -> None:
    first = life.train()
    life.move(first)
    second = life.train(OTHER)
    step = life.world.step
    interrupted = {"left": 1}

    def interrupting(desired: Desired, *args: Any, **more: Any) -> Outcome:
        if life.told(CAMPAIGN_PROBED)[1:] or not interrupted["left"]:
            return step(desired, *args, **more)
        found = step(desired, *args, **more)
        if life.runtime.asked[20:] and interrupted["left"]:
            interrupted["left"] = 0
            fault = life.world.emulated.service.faults
            fault.error("UpdateCampaign", "ResourceInUseException", "in use")
        return found

    life.world.step = interrupting  # type: ignore[method-assign]
    outcome = life.move(second)
    assert (outcome.failed, life.serves) == (None, first)


@pytest.mark.parametrize(
    ("gate", "asked"),
    [
        ({"mode": "hold"}, True),
        ({"mode": "observe"}, False),
        ({"mode": "observe", "smoke": {}}, True),
        ({"mode": "hold", "recipe": USER_SEGMENTATION}, False),
    ],
    ids=["holds", "observes", "observes-and-asks", "has-no-lists"],
)
def test_a_gate_says_whether_lists_are_looked_at(
    life: Life, gate: dict[str, Any], asked: bool
) -> None:
    life.gate = {"recipe": USER_PERSONALIZATION, "probes": "smoke/films/s.csv", **gate}
    life.move(life.train())
    assert bool(life.runtime.asked) == bool(life.told(CAMPAIGN_PROBED)) == asked


def test_the_config_says_how_many_are_asked_before_and_after(life: Life) -> None:
    life.smoke = {"probes": 8}
    life.move(life.train())
    life.move(life.train(interactions(seed=8)))
    assert len(life.runtime.asked) == 3 * 8


def test_no_more_are_asked_than_fit_into_the_time(life: Life) -> None:
    life.tps = None
    life.move(life.train())
    assert life.pauses == [1.0] * 15


def test_a_first_version_that_answers_badly_is_told_and_stays(life: Life) -> None:
    life.runtime.error = "ValidationException"
    first = life.train()
    outcome = life.move(first)
    assert (life.serves, life.told(ROLLED_BACK)) == (first, [])
    assert str(outcome.told).endswith("mpe models show films for-you")
    assert "the smoke test failed: 20 of 20 probes failed" in str(outcome.told)
    assert "rolled back" not in str(outcome.told)
    assert life.world.ledger.pointers[ID].version == first


def test_who_approves_every_version_has_it_rolled_back_as_well(life: Life) -> None:
    life.mode, first = "approve", life.train()
    life.move(first)
    life.move(life.train(OTHER))
    assert life.serves == first


@pytest.mark.parametrize("word", ["rejected", "expired"])
def test_what_no_person_has_approved_is_rolled_back(life: Life, word: str) -> None:
    first = life.train()
    life.move(first)
    second = life.train(OTHER)
    life.world.ledger.decisions[second] = {"word": word}
    life.move(second)
    assert life.serves == first


def test_what_was_thought_of_its_lists_is_kept(life: Life) -> None:
    first = life.train()
    life.move(first)
    second = life.train(OTHER)
    life.move(second)
    begun, row = life.world.ledger.smokes[ID, first], life.world.ledger.smokes[ID, second]
    assert (begun["word"], begun["live"], begun["back"]) == ("pass", None, False)
    assert (row["word"], row["live"], row["back"]) == ("hold", first, True)
    assert datetime.fromisoformat(row["at"]) > datetime.fromisoformat(begun["at"])
    kept = life.world.ledger.probes[ID]
    assert (kept["version"], kept["live"], len(kept["probes"])) == (second, first, 20)


def test_lists_that_were_empty_before_are_not_compared_with(life: Life) -> None:
    life.move(life.train())
    life.runtime.error = "ValidationException"
    second = life.train(interactions(seed=8))
    life.point(second)
    life.world.step(life.desired(second), run="before")
    assert life.world.ledger.probes[ID]["lists"] == {}


def test_without_interactions_strangers_are_asked(life: Life) -> None:
    first = life.train()
    life.point(first)
    life.world.follow(life.desired(first))
    assert {one["userId"].rpartition("-")[0] for one in life.runtime.asked} == {"mpe-probe"}
    life.runtime.asked.clear()
    bare = Desired("import.interactions", "DatasetImportJob", "i", "$.i", {})
    second = life.train(interactions(seed=8))
    life.point(second)
    life.world.follow(life.desired(second), "next", interactions=bare)
    assert {one["userId"].rpartition("-")[0] for one in life.runtime.asked} == {"mpe-probe"}


def test_which_data_could_not_be_read_is_in_the_log(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    life.world.bucket.denied = True
    life.move(life.train())
    own, data = logged(caplog, "no probes")
    assert (own["location"], own["error"]) == ("s3://data/smoke/films/s.csv", "AccessDenied")
    assert data["location"] == FILE


def test_without_a_gate_that_asks_for_it_nothing_is_asked(life: Life) -> None:
    first = life.train()
    life.world.follow(replace(campaign(first), pointer=None))
    assert life.runtime.asked == []


def film_filter(life: Life, expression: str) -> str:
    made = life.build.client.create_filter(
        name="own", datasetGroupArn=life.group, filterExpression=expression
    )["filterArn"]
    life.build.wait(900)
    life.filters = [made]
    return str(made)


def test_a_filter_is_asked_once_before_the_move_and_once_after(life: Life) -> None:
    life.move(life.train())
    made = film_filter(life, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")')
    life.runtime.asked.clear()
    second = life.train(interactions(seed=8))
    outcome = life.move(second)
    assert (outcome.failed, life.serves) == (None, second)
    asked = [one["filterArn"] for one in life.runtime.asked if "filterArn" in one]
    assert asked == [made] * 2


def test_a_filter_that_is_gone_is_told_and_fails_nothing(life: Life) -> None:
    life.move(life.train())
    life.filters = [f"{PLACE}filter/gone"]
    second = life.train(interactions(seed=8))
    outcome = life.move(second)
    assert (outcome.failed, life.serves) == (None, second)
    assert "the smoke test passed. Filter gone fails with" in str(outcome.told)


def test_a_filter_that_lets_nothing_through_is_told(life: Life) -> None:
    film_filter(life, 'INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("never")')
    outcome = life.move(life.train())
    assert "Filter own lets nothing through for" in str(outcome.told)
