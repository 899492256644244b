"""Quotas: what no waiting frees is told at once, a long wait is told, a newer config ends one.

The words are the guide's examples
(https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mpe.aws.events import RUN_WAITS
from mpe.aws.personalize import Personalize
from mpe.aws.survey import Counts, Step
from mpe.handlers.ensure import LONG, OVERTAKEN
from mpe.handlers.ensure import Step as Asked
from mpe.model.messages import message_for
from mpe.model.plan.desired import Desired
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.quotas import OTHER_WORDS, beyond, for_good
from mpe.model.plan.reconcile import Create
from mpe.model.remedies import Where, remedy
from mpe.model.service.spec import SPECS
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import RUN, World, group, schema, version
from tests.handlers.test_ensure import world as world
from tests.handlers.test_outages import Deaf
from tests.handlers.test_runs import NOW, Account
from tests.handlers.test_runs import account as account

AT_WORK = "More than {} resources with PENDING or IN_PROGRESS status."
THERE = (
    "Cannot create a campaign. More than 5 resources in ACTIVE state. "
    "Please delete some and try again."
)
LIMIT = "LimitExceededException"


@pytest.mark.parametrize(
    ("noun", "message", "waited", "vain"),
    [
        ("Campaign", THERE, 0, True),
        ("Campaign", AT_WORK.format(5), 86_000, False),
        ("DatasetGroup", "More than 5 dataset groups.", 0, True),
        ("DatasetImportJob", AT_WORK.format(5), 86_000, False),
        ("SolutionVersion", AT_WORK.format(20), 0, False),
        ("SolutionVersion", AT_WORK.format(0), 0, True),
        ("SolutionVersion", "More than 0 versions.", 0, True),
        ("SolutionVersion", "More than 1 version.", 86_000, False),
        ("SolutionVersion", "There are too many: delete some.", 86_000, False),
        ("Schema", "Rate exceeded", 0, False),
        ("Schema", "Rate exceeded", OTHER_WORDS, True),
        ("BatchInferenceJob", "Rate exceeded", 86_000, False),
    ],
)
def test_a_quota_is_one_that_waiting_frees_or_not(
    noun: str, message: str, waited: float, vain: bool
) -> None:
    assert for_good(SPECS[noun], LIMIT, message, waited) is vain
    assert not for_good(SPECS[noun], "ThrottlingException", message, waited)


def test_a_quota_that_no_waiting_frees_comes_with_what_to_do() -> None:
    told = remedy("Campaign", LIMIT, THERE, Where(group="films"))
    assert "remove what is not needed, or ask for more" in told
    assert "service-quotas" in told


@pytest.fixture
def queued(world: World, build: Builder) -> Desired:
    """A version that waits for the end of other trainings."""
    group_ = build.group()
    build.imported(group_)
    faults = world.emulated.service.faults
    faults.error("CreateSolutionVersion", LIMIT, AT_WORK.format(20), times=1000)
    return version(build.solution(group_))


def waits(world: World, desired: Desired, seconds: int, **more: Any) -> Outcome:
    outcome = world.step(desired, **more)
    while outcome.wait and outcome.blocked < seconds:
        world.emulated.clock.advance(outcome.wait)
        outcome = world.step(desired, outcome, **more)
    return outcome


def test_no_two_groups_ask_for_a_quota_at_the_same_moments(world: World) -> None:
    """Their schedules may fire together, and what is freed lies idle until somebody asks."""
    world.emulated.service.faults.error("CreateSchema", "ThrottlingException", "", times=1000)
    desired = schema(avro("Users"))
    before, groups = (
        replace(Outcome.of(desired), blocked=LONG // 2),
        [f"films-{n}" for n in range(9)],
    )
    asked = {world.ensure(Asked(RUN, group, desired, before)).wait for group in groups}
    assert len(asked) > len(groups) / 2


def test_a_long_wait_is_told_once_with_since_when_and_why(world: World, queued: Desired) -> None:
    waits(world, queued, LONG - 310)
    assert world.heard.told == []
    waits(world, queued, 4 * LONG)
    waits(world, queued, 4 * LONG)  # another of the type, in the same run
    ((kind, detail),) = world.heard.told
    assert (kind, detail["Resource"], detail["Reason"]) == (
        RUN_WAITS,
        "SolutionVersion",
        AT_WORK.format(20),
    )
    message = message_for(kind, json.loads(json.dumps(detail)), region="us-east-1")
    assert message.subject == "Personalize dataset group films waits for a quota"
    assert detail["Since"] in message.text
    assert AT_WORK.format(20) in message.text


@pytest.mark.parametrize(("missing", "told"), [(1, False), (0, True)])
def test_a_wait_is_told_of_once_it_takes_a_quarter_of_an_hour(
    world: World, queued: Desired, missing: int, told: bool
) -> None:
    world.emulated.clock.advance(0.25)
    next_wait = world.step(queued, replace(Outcome.of(queued), blocked=LONG // 2)).wait
    assert next_wait
    before = replace(Outcome.of(queued), blocked=LONG - next_wait - missing)
    outcome = world.step(queued, before)
    assert (outcome.blocked + missing, bool(world.heard.told)) == (LONG, told)
    last = replace(before, blocked=LONG - 1)
    assert world.step(queued, last).blocked > LONG
    assert len(world.heard.told) == 1
    for _, detail in world.heard.told:
        assert "." not in detail["Since"], "people read it"


@pytest.mark.parametrize(("in_line", "hours"), [(True, 24), (False, 6)])
def test_what_waits_for_others_work_is_waited_for_a_day_and_a_throttle_for_six_hours(
    world: World, queued: Desired, in_line: bool, hours: int
) -> None:
    world.emulated.service.faults.error("CreateSchema", "ThrottlingException", "", times=10)
    desired = queued if in_line else schema(avro("Users"))
    before = Outcome.of(desired)
    world.step(desired, replace(before, blocked=LONG - 1))
    ((_, detail),) = world.heard.told
    assert detail["Hours"] == hours
    assert world.step(desired, replace(before, blocked=hours * 3600 - 60)).failed is None
    assert world.step(desired, replace(before, blocked=hours * 3600 + 60)).failed


def test_a_newer_config_ends_a_wait(world: World, queued: Desired) -> None:
    waiting = waits(world, queued, 60, sequencer="01")
    assert waiting.failed is None
    world.turns.newest = "02"
    ended = world.step(queued, waiting, sequencer="01")
    assert ended.failed
    assert ended.failed.error == OVERTAKEN
    assert "newer config" in remedy("SolutionVersion", OVERTAKEN, "", Where(group="films"))


def test_a_wait_that_cannot_be_told_harms_nothing(world: World, queued: Desired) -> None:
    world.ensure = replace(world.ensure, events=Deaf(1000))
    assert waits(world, queued, 2 * LONG).failed is None


def test_the_ledger_knows_what_was_told_and_the_turns_which_config_is_newer(
    account: Account,
) -> None:
    assert account.ledger.first("films", "run", "SolutionVersion", NOW)
    assert not account.ledger.first("films", "run", "SolutionVersion", NOW)
    assert account.ledger.first("films", "next", "SolutionVersion", NOW)
    account.turns.announce("films", "next", "02")
    assert account.turns.overtaken("films", "run", "01")
    assert not account.turns.overtaken("films", "next", "02")
    assert not account.turns.overtaken("films", "old", ""), "whose config is not known"


def test_a_plan_notes_what_is_beyond_a_quota() -> None:
    assert beyond("DatasetGroup", 4, 1) == ""
    assert "an account has in a Region 5 of the type DatasetGroup" in beyond("DatasetGroup", 5, 1)
    assert "a dataset group has 10" in beyond("Solution", 8, 3)
    assert beyond("SolutionVersion", 500, 1) == ""


def test_a_plan_counts_what_there_is_and_what_it_would_make(world: World, build: Builder) -> None:
    for number in range(4):
        world.emulated.client.create_dataset_group(name=f"g{number}")
    counts = Counts(Personalize(world.emulated.client), str(group().arn))
    first, second = (counts.noted(Step(group(), Create("absent"))) for _ in range(2))
    assert first.note == ""
    assert "there are 4 beside the 2" in second.note
    absent = Desired("s", "Solution", "s", "$.s", {"name": "s"}, arn="arn:s")
    assert counts.noted(Step(absent, Create("absent"))).note == "", "the group is not there yet"
