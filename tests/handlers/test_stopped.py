"""What a run had begun when it was stopped is known all the same, though no run saw it done."""

from __future__ import annotations

from mpe.model.plan.removals import Made
from tests.emulator.conftest import Builder
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import RUN, World, campaign
from tests.handlers.test_ensure import world as world
from tests.handlers.test_importing import Days, good
from tests.handlers.test_importing import days as days

NEXT = "20260102T000000-bbbbbbbb"


def test_what_a_run_began_is_known_as_made_by_the_stack(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    live = campaign(build.version(build.solution(group)))
    world.step(live)  # and no look follows
    (made,) = world.ledger.made.values()
    there = build.client.describe_campaign(campaignArn=live.arn)["campaign"]
    assert made.is_still(there)
    build.wait(900)
    assert world.follow(live, NEXT).did == "kept"
    assert world.ledger.made == {live.arn: made}


def test_a_creation_that_cannot_be_noted_fails_nothing(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    live = campaign(build.version(build.solution(group)))
    note, world.ledger.note_made = world.ledger.note_made, _refuse  # type: ignore[method-assign]
    outcome = world.step(live)
    assert outcome.did == "created"
    world.ledger.note_made = note  # type: ignore[method-assign]
    build.wait(900)
    world.step(live, outcome)
    assert [one.name for one in world.ledger.made.values()] == ["live"]


def _refuse(group: str, made: Made) -> None:
    raise ConnectionError("the table is away")


def test_an_import_that_a_run_began_counts_as_imported_once_it_is_seen_done(days: Days) -> None:
    days.put(good())
    days.world.step(days.desired(), run=RUN)  # and no look follows
    days.build.wait(3600)
    assert not days.world.ledger.imports("films")
    assert days.run().did == "kept"
    assert days.jobs == 1
    (counted,) = days.world.ledger.imports("films")
    assert counted == "import.interactions"
