"""A campaign that a person has moved is asked as well, and stays where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mpe.aws.lists import Lists
from mpe.aws.personalize import Personalize
from mpe.handlers.approved import CAMPAIGN_DOUBTED, Approved
from mpe.handlers.smoking import CAMPAIGN_PROBED, ROLLED_BACK, Smoking
from mpe.model.gate.pointer import GATE, ModelPointer
from mpe.model.messages import attributes, message_for
from mpe.model.plan.desired import Data, Desired
from tests.conftest import interactions
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE
from tests.handlers.test_ensure import world as world
from tests.handlers.test_smoking import ID, LIVE, OTHER, Life
from tests.handlers.test_smoking import life as life

READ = Desired(
    "import.interactions",
    "DatasetImportJob",
    "i",
    "$.i",
    {},
    data=Data.csvs("data", "train/films/interactions"),
)


def hold(life: Life, version: str) -> None:
    """Let a run hold a version, which looks at the campaign and leaves it."""
    pointers = life.world.ledger.pointers
    at = life.world.emulated.clock().isoformat(timespec="milliseconds")
    pointers[ID] = pointers[ID].holding(version, why="worse.", at=at)
    life.world.follow(life.desired(version), "held", interactions=READ)


def move(life: Life, version: str, by: str = "arn:aws:iam::1:user/ann", wait: float = 3600) -> None:
    """Do as ``mpe approve`` does: move the pointer, then the campaign."""
    clock, ledger = life.world.emulated.clock, life.world.ledger
    before = ledger.pointers.get(ID, ModelPointer())
    at = clock().isoformat(timespec="milliseconds")
    ledger.pointers[ID] = before.moved(version, by=by, why="looked", at=at)
    ledger.decisions[version] = {"word": "approved", "by": by}
    life.world.emulated.client.update_campaign(campaignArn=LIVE, solutionVersionArn=version)
    clock.advance(wait)


def look(life: Life) -> None:
    world = life.world
    smoking = Smoking(
        Lists(life.runtime, life.pauses.append),
        world.bucket,
        world.ledger,  # type: ignore[arg-type]
        world.heard,
        world.measured,
        doubted=CAMPAIGN_DOUBTED,
        stack="Films",
    )
    campaign = replace(life.desired("given by a run"), arn=LIVE)
    pointer = world.ledger.pointers[ID]
    asking = Approved(Personalize(world.emulated.client), smoking)
    asking("films", campaign, pointer, READ, world.emulated.clock())


@pytest.fixture
def approved(life: Life) -> Life:
    """Return a life in which a second version was held, and approved by a person."""
    life.move(life.train())
    second = life.train(interactions(seed=8))
    hold(life, second)
    life.runtime.asked.clear()
    life.world.heard.told.clear()
    move(life, second)
    return life


def test_a_campaign_that_a_person_moved_is_asked_once(approved: Life) -> None:
    look(approved)
    look(approved)
    (told,) = approved.told(CAMPAIGN_PROBED)
    assert (told["Verdict"], told["Version"]) == ("pass", approved.serves)
    assert len(approved.runtime.asked) == 20
    assert approved.told(CAMPAIGN_DOUBTED) == []


def test_it_is_compared_with_what_it_answered_while_the_version_was_held(life: Life) -> None:
    life.move(life.train())
    other = life.train(OTHER)
    hold(life, other)
    before = life.world.ledger.probes[ID]
    assert (before["version"], len(before["lists"]) > 10) == (other, True)
    asked = len(life.runtime.asked)
    hold(life, other)
    assert len(life.runtime.asked) == asked, "once for each version that is held"
    move(life, other)
    look(life)
    (told,) = life.told(CAMPAIGN_DOUBTED)
    assert "MPE-Q024" in " ".join(told["Reasons"])


def test_what_answers_badly_is_told_by_mail_and_stays(life: Life) -> None:
    life.move(life.train())
    other = life.train(OTHER)
    hold(life, other)
    move(life, other)
    look(life)
    assert life.serves == other
    assert life.world.ledger.pointers[ID].version == other
    assert life.told(ROLLED_BACK) == []
    (detail,) = life.told(CAMPAIGN_DOUBTED)
    message = message_for(CAMPAIGN_DOUBTED, detail, region="eu-west-1")
    assert message.subject.endswith("look at the answers of campaign live")
    for line in (
        other,
        "smoke test: hold",
        "Stack Films, account",
        "mpe rollback films live --why",
    ):
        assert line in message.text
    assert attributes(detail)["status"] == "DOUBTED"


def test_it_is_asked_only_once_the_update_is_done(life: Life) -> None:
    life.move(life.train())
    second = life.train(interactions(seed=8))
    life.runtime.asked.clear()
    move(life, second, wait=0)
    look(life)
    assert life.runtime.asked == []
    life.world.emulated.clock.advance(3600)
    look(life)
    assert len(life.runtime.asked) == 20


def test_a_campaign_that_is_being_made_is_asked_only_once_it_is_there(life: Life) -> None:
    world, first = life.world, life.train()
    world.emulated.client.create_campaign(name="live", solutionVersionArn=first)
    at = world.emulated.clock().isoformat(timespec="milliseconds")
    world.ledger.pointers[ID] = ModelPointer().moved(first, by="ann", why="looked", at=at)
    look(life)
    assert life.runtime.asked == []
    world.emulated.clock.advance(3600)
    look(life)
    assert len(life.runtime.asked) == 20


def test_it_is_not_asked_while_it_is_updated_for_another_reason(approved: Life) -> None:
    world = approved.world
    world.emulated.client.update_campaign(campaignArn=LIVE, minProvisionedTPS=7)
    look(approved)
    assert approved.runtime.asked == []
    world.emulated.clock.advance(3600)
    look(approved)
    assert len(approved.runtime.asked) == 20


def test_a_campaign_that_is_still_where_it_was_is_not_asked(life: Life) -> None:
    """As where ``mpe approve`` was killed before the campaign's update."""
    first = life.train()
    life.move(first)
    second = life.train(interactions(seed=8))
    life.runtime.asked.clear()
    move(life, second)
    life.world.emulated.client.update_campaign(campaignArn=LIVE, solutionVersionArn=first)
    life.world.emulated.clock.advance(3600)
    look(life)
    assert life.runtime.asked == []


def test_what_the_gate_moved_is_not_asked_again(life: Life) -> None:
    life.move(life.train())
    life.world.ledger.smokes.clear()
    life.runtime.asked.clear()
    assert life.world.ledger.pointers[ID].by == GATE
    look(life)
    assert life.runtime.asked == []


def test_a_campaign_that_is_gone_or_elsewhere_is_not_asked(approved: Life) -> None:
    client: Any = approved.world.emulated.client
    client.delete_campaign(campaignArn=LIVE)
    approved.world.emulated.clock.advance(3600)
    look(approved)
    assert approved.runtime.asked == []
    assert LIVE.startswith(PLACE)


def test_a_runtime_that_denies_is_inconclusive_and_told(approved: Life) -> None:
    approved.runtime.error = "AccessDeniedException"
    look(approved)
    (told,) = approved.told(CAMPAIGN_DOUBTED)
    assert told["Verdict"] == "inconclusive"
