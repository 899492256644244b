"""Recommenders have no versions: how good they are is kept, judged and published, never held."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mpe.aws.personalize import Personalize
from mpe.handlers.recommending import RECOMMENDER_JUDGED, Recommended, Recommending
from mpe.handlers.tend import Tend
from mpe.model.config.parse import parse
from mpe.model.plan.desired import Desired, DesiredState, desired_state
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.emulator.test_recommenders import create
from tests.emulator.test_recommenders import shop as shop
from tests.handlers.test_ensure import PLACE, REFUSALS, World
from tests.handlers.test_ensure import world as world
from tests.handlers.test_runs import PLACE as ACCOUNT
from tests.handlers.test_tend import States
from tests.local.test_provisioning import shop as config_of_shop

GOOD = {"normalized_discounted_cumulative_gain_at_10": 0.2, "coverage": 0.5}


def recommender(**gate: object) -> Desired:
    """Return a recommender as its group's gate judges it."""
    arn = f"{PLACE}recommender/r"
    return Desired(
        "recommender.r", "Recommender", "r", "$.r", {}, arn=arn, gate={"mode": "observe", **gate}
    )


@pytest.fixture
def recommending(world: World) -> Recommending:
    return Recommending(
        world.ledger,  # type: ignore[arg-type]
        world.heard,
        world.measured,
        world.ensure.clock,
    )


def told(world: World) -> list[str]:
    return [detail["Verdict"] for kind, detail in world.heard.told if kind == RECOMMENDER_JUDGED]


def test_a_run_keeps_how_good_a_recommender_is_once(
    world: World, build: Builder, shop: str
) -> None:
    arn = create(build, shop)
    described = build.client.describe_recommender(recommenderArn=arn)["recommender"]
    desired = replace(recommender(), arn=arn, params={"name": "r", "datasetGroupArn": shop})
    for _ in range(2):
        assert world.follow(desired).did == "kept"
    assert world.ledger.measures["r"]["metrics"] == described["modelMetrics"]
    assert told(world) == ["pass"]
    assert world.measured.recommenders == [("r", False)]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda one: type(one).__name__)
def test_an_event_that_the_bus_refuses_for_good_fails_no_recommender(
    error: Exception, world: World, build: Builder, shop: str
) -> None:
    arn = create(build, shop)
    world.heard.refuses = error
    desired = replace(recommender(), arn=arn, params={"name": "r", "datasetGroupArn": shop})
    outcome = world.follow(desired)
    assert (outcome.did, outcome.failed, [*world.ledger.measures]) == ("kept", None, ["r"])


def test_a_model_that_is_worse_than_the_one_before_is_told_and_measured(
    world: World, recommending: Recommending
) -> None:
    desired = recommender(metrics={"coverage": {"notBelow": "-20%"}, "not_its_own": {"atLeast": 1}})
    for coverage in (0.5, 0.45, 0.2):
        recommending("films", desired, str(desired.arn), {**GOOD, "coverage": coverage})
    assert told(world) == ["pass", "pass", "hold"]
    assert world.measured.recommenders == [("r", False), ("r", False), ("r", True)]
    row = world.ledger.measures["r"]
    assert [one["coverage"] for one in row["history"]] == [0.5, 0.45, 0.2]
    assert row["reasons"][0]["rule"] == "MPE-Q007"


def test_a_model_is_compared_with_the_one_right_before_it(
    world: World, recommending: Recommending
) -> None:
    desired = recommender(metrics={"coverage": {"notBelow": "-20%"}})
    for coverage in (0.5, 0.42, 0.36):
        recommending("films", desired, str(desired.arn), {**GOOD, "coverage": coverage})
    assert told(world) == ["pass", "pass", "pass"]


def test_what_is_noise_is_known_from_the_models_before(
    world: World, recommending: Recommending
) -> None:
    name, desired = "normalized_discounted_cumulative_gain_at_10", recommender()
    for value in (0.2, 0.201, 0.2, 0.201, 0.2, 0.201, 0.16):
        recommending("films", desired, str(desired.arn), {name: value})
    assert told(world) == ["pass"] * 6 + ["hold"]
    assert "would be noise" in world.heard.told[-1][1]["Reasons"][0]


def test_the_event_has_the_model_its_numbers_and_what_is_thought_of_them(
    world: World, recommending: Recommending
) -> None:
    desired = recommender(metrics={"coverage": {"atLeast": 0.75}})
    world.emulated.clock.advance(0.25)
    recommending("films", desired, str(desired.arn), GOOD)
    ((_, detail),) = world.heard.told
    (reason,) = detail.pop("Reasons")
    assert "coverage is 0.5000, and at least 0.7500 is wanted." in reason
    assert detail == {
        "DatasetGroup": "films",
        "Recommender": "r",
        "Arn": desired.arn,
        "Verdict": "hold",
        "Metrics": GOOD,
    }
    assert world.ledger.measures["r"]["at"] == "2026-01-01T00:00:00+00:00"


def test_of_a_recommender_without_metrics_nothing_is_kept(
    world: World, recommending: Recommending
) -> None:
    recommending("films", recommender(), "arn", {})
    assert (world.ledger.measures, world.heard.told) == ({}, [])


def test_the_last_twenty_models_are_remembered(world: World, recommending: Recommending) -> None:
    desired = recommender()
    for number in range(25):
        recommending("films", desired, str(desired.arn), {"coverage": float(number)})
    kept = [one["coverage"] for one in world.ledger.measures["r"]["history"]]
    assert kept == [float(number) for number in range(5, 25)]


def test_a_model_that_could_not_be_told_is_told_at_the_next_look_and_measured_once(
    world: World, recommending: Recommending
) -> None:
    desired = recommender()
    world.heard.refuses = ConnectionError("the bus is away")
    with pytest.raises(ConnectionError):
        recommending("films", desired, str(desired.arn), GOOD)
    world.heard.refuses = None
    recommending("films", desired, str(desired.arn), GOOD)
    assert told(world) == ["pass"]
    assert world.measured.recommenders == [("r", False)]


def test_what_the_service_trains_between_runs_is_looked_at_as_well(
    world: World, build: Builder, shop: str, recommending: Recommending
) -> None:
    desired = replace(recommender(), arn=create(build, shop))
    gone = replace(recommender(), id="recommender.gone", arn=f"{PLACE}recommender/gone")
    off = replace(recommender(), id="recommender.off", name="off", gate={})
    world.ledger.measures["r"] = {"metrics": GOOD, "history": [GOOD]}
    states = States(DesiredState("films", "1", {one.id: one for one in (desired, gone, off)}))
    look = Recommended(Personalize(build.client), recommending)
    tend = Tend(
        states,
        states,  # type: ignore[arg-type]
        world.ledger,  # type: ignore[arg-type]
        world.heard,
        world.measured,
        world.ensure.clock,
        "data",
        "stack",
        recommended=look,
    )
    tend()
    assert len(world.ledger.measures["r"]["history"]) == 2
    assert set(world.ledger.measures) == {"r"}


@pytest.mark.parametrize(
    ("gate", "found"),
    [
        ({}, {"mode": "observe"}),
        ({"mode": "off"}, {}),
        ({"mode": "hold", "hold": {"expires": "1 day"}}, {"mode": "observe"}),
    ],
)
def test_the_gate_of_the_group_judges_them_and_holds_nothing(
    gate: dict[str, object], found: dict[str, object]
) -> None:
    document = config_of_shop("shop")
    document["datasetGroup"]["workflowConfig"] = {"gate": gate}
    config = parse(json.dumps(document))
    state = desired_state(config, ACCOUNT, version="1")
    (one,) = (each for each in state.resources.values() if each.noun == "Recommender")
    assert one.gate == found
    noted = [note.rule for note in config.notes if note.rule == "MPE-Q030"]
    assert noted == (["MPE-Q030"] if gate.get("mode") == "hold" else [])
