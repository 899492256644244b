"""What is held ends by itself and is told, and what waits or ages is measured."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mpe.aws.objects import Pointer
from mpe.handlers.holding import MODEL_EXPIRED, Holding
from mpe.handlers.settings import LOGGER
from mpe.handlers.tend import Tend
from mpe.model.errors import NewerForm
from mpe.model.gate.pointer import GATE, ModelPointer
from mpe.model.messages import attributes, message_for
from mpe.model.plan.desired import INTERACTIONS_IMPORT, Desired, DesiredState
from mpe.model.plan.tasks import Task
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import PLACE, version
from tests.handlers.test_ensure import world as world
from tests.handlers.test_judging import ID, IMPOSSIBLE, Life
from tests.handlers.test_judging import life as life

DAYS = timedelta(days=1).total_seconds()
WEEKLY = Task("full.s", "full", "$.s", "rate(7 days)", "UTC", {})


class States:
    """The newest desired state of each dataset group, and which run it is of."""

    def __init__(self, *states: DesiredState, newer: tuple[str, ...] = ()) -> None:
        self.states, self.newer = {one.group: one for one in states}, newer

    def newest_run(self, group: str) -> str | None:
        return "1" if group in {*self.states, *self.newer} else None

    def load_state(self, pointer: Pointer) -> DesiredState:
        group = pointer.key.split("/")[1]
        if group in self.newer:
            raise NewerForm("a newer release wrote this")
        return self.states[group]


class Tended:
    """A campaign that serves a version, a newer one that is held, and what looks after them."""

    def __init__(self, life: Life, **gate: Any) -> None:
        self.life, self.gate = life, gate
        self.first = life.train()
        life.deploy(self.first)
        self.second = life.train(**IMPOSSIBLE)
        self.look()

    def state(self) -> DesiredState:
        told = {"id": ID, "arn": f"{PLACE}campaign/live", "mode": "hold", "pinned": False}
        own = replace(version(self.life.solution), campaigns=(told,), gate=self.gate)
        return DesiredState("films", "1", {"version.s": own}, tasks={"full.s": WEEKLY})

    def look(
        self,
        states: States | None = None,
        recommended: Any = None,
        approved: Any = None,
        watching: Any = None,
    ) -> dict[str, int]:
        world, found = self.life.world, states or States(self.state())
        return Tend(
            found,
            found,  # type: ignore[arg-type]
            world.ledger,  # type: ignore[arg-type]
            world.heard,
            world.measured,
            world.ensure.clock,
            "data",
            "Films",
            approved,
            watching,
            recommended,
        )()

    def after(self, days: float) -> dict[str, int]:
        self.life.world.emulated.clock.advance(days * DAYS)
        return self.look()

    def told(self) -> list[dict[str, Any]]:
        return [detail for kind, detail in self.life.world.heard.told if kind == MODEL_EXPIRED]

    @property
    def word(self) -> str | None:
        row = self.life.world.ledger.decisions.get(self.second)
        return row["word"] if row else None


@pytest.fixture
def tended(life: Life) -> Tended:
    return Tended(life)


def test_a_hold_ends_after_three_days_and_is_told_once(tended: Tended) -> None:
    tended.after(2.9)
    assert (tended.word, tended.told()) == (None, [])
    tended.after(0.2)
    tended.after(1)
    (told,) = tended.told()
    assert (told["Version"], told["Campaigns"], told["Status"]) == (
        tended.second, ["live"], "EXPIRED",
    )  # fmt: skip
    row = tended.life.world.ledger.decisions[tended.second]
    assert (row["word"], row["by"]) == ("expired", GATE)
    assert row["why"].startswith("nobody decided within 3 days: ")
    moment = r"2026-01-0\dT[\d:]{8}\.\d{3}\+00:00"
    assert re.fullmatch(moment, row["at"]), "moments are compared as text, so all are of one form"


def holding(tended: Tended) -> Holding:
    world = tended.life.world
    return Holding(world.ledger, world.heard, world.ensure.clock, "Films")  # type: ignore[arg-type]


def test_a_hold_ends_with_the_last_second_of_its_days(tended: Tended) -> None:
    pointer, clock = tended.life.world.ledger.pointers[ID], tended.life.world.emulated.clock
    end = datetime.fromisoformat(str(pointer.since)) + timedelta(days=3)
    clock.advance((end - clock()).total_seconds() - 1)
    holding(tended).expire("films", {}, {ID: pointer})
    assert tended.word is None
    clock.advance(1)
    holding(tended).expire("films", {}, {ID: pointer})
    assert tended.word == "expired"


def test_a_hold_ends_whatever_waits_for_nobody_beside_it(tended: Tended) -> None:
    pointer = tended.life.world.ledger.pointers[ID]
    tended.life.world.emulated.clock.advance(4 * DAYS)
    holding(tended).expire("films", {}, {"campaign.s.beta": ModelPointer(), ID: pointer})
    (told,) = tended.told()
    assert told["Campaigns"] == ["live"]


def test_a_version_that_several_campaigns_hold_is_told_once_with_all_of_them(
    tended: Tended,
) -> None:
    pointer = tended.life.world.ledger.pointers[ID]
    tended.life.world.emulated.clock.advance(4 * DAYS)
    holding(tended).expire("films", {}, {ID: pointer, "campaign.s.beta": pointer})
    (told,) = tended.told()
    assert told["Campaigns"] == ["beta", "live"]


def test_the_config_says_how_long_a_hold_lasts(life: Life) -> None:
    tended = Tended(life, hold={"expires": "12 hours"})
    tended.after(0.6)
    assert tended.word == "expired"


@pytest.mark.parametrize("word", ["approved", "rejected"])
def test_what_a_person_has_decided_does_not_expire(tended: Tended, word: str) -> None:
    tended.life.world.ledger.decisions[tended.second] = {"word": word, "by": "me"}
    tended.after(10)
    assert (tended.word, tended.told()) == (word, [])


def test_a_decision_that_comes_while_a_hold_ends_wins(tended: Tended) -> None:
    ledger, heard = tended.life.world.ledger, tended.life.world.heard
    put = heard.put

    def decide_meanwhile(kind: str, detail: Any) -> None:
        put(kind, detail)
        if kind == MODEL_EXPIRED:
            ledger.decisions[tended.second] = {"word": "approved", "by": "me"}

    heard.put = decide_meanwhile  # type: ignore[method-assign]
    tended.after(4)
    assert tended.word == "approved"


def test_an_expired_version_is_served_by_no_run_but_by_an_approval(tended: Tended) -> None:
    life = tended.life
    tended.after(4)
    life.judge_again()  # by a gate that would let it through
    assert life.deploy(tended.second).did == "kept"
    assert life.serves == tended.first
    life.world.ledger.decisions[tended.second] = {"word": "approved", "by": "me"}
    life.judge_again()
    assert life.deploy(tended.second).did == "updated"


def test_a_run_ends_a_hold_as_well_where_nobody_has_looked(tended: Tended) -> None:
    tended.life.world.emulated.clock.advance(4 * DAYS)
    tended.life.judge_again()
    assert tended.word == "expired"
    assert len(tended.told()) == 1
    assert "expired" in tended.life.world.ledger.pointers[ID].reason


def test_the_mail_of_an_expired_hold_says_what_was_held_and_what_can_be_done(
    tended: Tended,
) -> None:
    tended.after(4)
    (detail,) = tended.told()
    message = message_for(MODEL_EXPIRED, detail, region="eu-west-1")
    id = tended.second.rpartition("/")[2]
    assert (
        message.subject == f"Personalize dataset group films: the hold of for-you/{id} has expired"
    )
    for line in (
        "nobody has decided",
        "coverage is",
        "Stack Films, account",
        f"mpe approve films for-you {id} --why",
    ):
        assert line in message.text
    assert attributes(detail)["status"] == "EXPIRED"
    assert json.loads(message.by_protocol()["sqs"])["HeldSince"] == detail["HeldSince"]


def test_a_model_that_is_held_for_more_than_a_day_is_measured_until_it_is_decided(
    tended: Tended,
) -> None:
    assert tended.after(0.9)["waits"] == 0
    tended.after(0.1)
    waited = tended.life.world.ensure.clock.now() - datetime.fromisoformat(
        tended.life.world.ledger.pointers[ID].since or ""
    )
    assert (waited, tended.look()["waits"]) == (timedelta(days=1), 0)
    assert tended.after(0.1)["waits"] == 1
    assert tended.life.world.measured.tended_[-1] == (1, 0)
    tended.life.world.ledger.decisions[tended.second] = {"word": "rejected", "by": "me"}
    assert tended.look()["waits"] == 0


def test_a_live_model_of_twice_its_schedule_is_measured(tended: Tended) -> None:
    assert tended.after(13.9)["old"] == 0
    assert tended.after(0.2)["old"] == 1
    assert tended.life.world.measured.tended_[-1] == (0, 1)


def test_a_live_model_of_which_nobody_knows_how_old_it_is_is_not_measured(tended: Tended) -> None:
    numbers = tended.life.world.ledger.numbers
    numbers[tended.first] = replace(numbers[tended.first], created=None)
    assert tended.after(20)["old"] == 0


def test_a_campaign_that_serves_nothing_yet_is_not_old(tended: Tended) -> None:
    tended.life.world.ledger.pointers[ID] = ModelPointer(None, held=tended.second)
    assert tended.after(20)["old"] == 0


def test_a_group_that_is_gone_or_newer_is_passed_over(tended: Tended) -> None:
    tended.life.world.emulated.clock.advance(20 * DAYS)
    assert tended.look(States()) == {"waits": 0, "old": 0}
    assert tended.look(States(newer=("films",))) == {"waits": 0, "old": 0}
    assert tended.word is None


class Heard(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_which_group_only_a_newer_release_can_read_is_in_the_log(tended: Tended) -> None:
    heard = Heard()
    logger = logging.getLogger(LOGGER.name)
    logger.addHandler(heard)
    try:
        tended.look(States(newer=("films",)))
    finally:
        logger.removeHandler(heard)
    (one,) = (vars(record) for record in heard.records)
    assert (one["msg"], one["group"]) == ("not looked after", "films")
    assert "a newer release wrote this" in one["error"]


def test_a_campaign_that_the_config_names_no_more_is_passed_over(tended: Tended) -> None:
    tended.life.world.emulated.clock.advance(20 * DAYS)
    assert tended.look(States(DesiredState("films", "2", {}))) == {"waits": 0, "old": 0}


def test_a_campaign_that_is_gone_keeps_no_other_from_being_looked_at(tended: Tended) -> None:
    seen: list[Any] = []
    state, pointers = tended.state(), tended.life.world.ledger.pointers
    (told,) = state.resources["version.s"].campaigns
    pointers["campaign.s.gone"] = pointers[ID]
    both = replace(
        state.resources["version.s"], campaigns=({**told, "id": "campaign.s.gone"}, told)
    )
    live = Desired(ID, "Campaign", "live", "$", {})
    tended.look(
        States(replace(state, resources={both.id: both, ID: live})),
        approved=lambda group, campaign, pointer, read, now: seen.append(campaign),
    )
    assert seen == [live]


def test_of_all_resources_recommenders_are_looked_at_and_campaigns_asked_and_watched(
    tended: Tended,
) -> None:
    seen: list[Any] = []
    live = Desired(ID, "Campaign", "live", "$", {})
    shop = Desired("recommender.shop", "Recommender", "shop", "$", {})
    data = Desired(INTERACTIONS_IMPORT, "DatasetImportJob", "views", "$", {})
    state = tended.state()
    made = {**state.resources, **{one.id: one for one in (live, shop, data)}}
    tended.look(
        States(replace(state, resources=made)),
        recommended=lambda group, one: seen.append((group, one)),
        approved=lambda group, campaign, pointer, read, now: seen.append((campaign, read)),
        watching=lambda group, campaign, pointer: seen.append(("watched", campaign)),
    )
    assert seen == [("films", shop), (live, data), ("watched", live)]
