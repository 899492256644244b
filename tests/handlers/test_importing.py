"""Data is judged before it is imported: held, told or let in, and never twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mpe.handlers import importing
from mpe.handlers.importing import DATA_JUDGED
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.desired import Data, Desired
from mpe.model.plan.outcome import Outcome
from mpe.model.remedies import Where, remedy
from mpe.model.service.profile import of_document
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.films import BROKEN, CATALOGUE, ratings, shuffled_items
from tests.handlers.test_ensure import World, imported
from tests.handlers.test_ensure import world as world

WHERE = Where("films", "data", dataset="interactions")
FILE = "s3://data/train/films/interactions.csv"
ITEMS = "s3://data/train/films/items/"


class Days:
    """A dataset whose CSV is another one every day."""

    def __init__(self, world: World, build: Builder) -> None:
        self.world, self.build, self.day = world, build, 0
        self.dataset = build.dataset(build.group())
        self.mode, self.data = "hold", dict[str, Any]()

    def desired(self) -> Desired:
        made = replace(imported(self.dataset), id="import.interactions")
        gate = {"mode": self.mode, "data": self.data}
        return replace(made, schema=avro("Interactions"), gate=gate)

    def put(self, body: str) -> None:
        self.build.emulated.clock.advance(86_400)
        self.build.emulated.objects.objects[FILE] = body
        self.world.bucket.modified = self.build.emulated.clock()
        self.day += 1

    def run(self, body: str | None = None, **step: Any) -> Outcome:
        if body is not None:
            self.put(body)
        return self.world.follow(self.desired(), f"run-{self.day}", **step)

    @property
    def jobs(self) -> int:
        return len(self.build.client.list_dataset_import_jobs()["datasetImportJobs"])


@pytest.fixture
def days(world: World, build: Builder) -> Days:
    return Days(world, build)


def good() -> str:
    return whole(list(ratings()))


def whole(rows: list[Any]) -> str:
    """Return a CSV with the columns of the emulator's own schema."""
    lines = [f"{u},{i},{e},1,{t}" for u, i, e, t in rows]
    return "\n".join(["USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP", *lines]) + "\n"


@pytest.mark.parametrize("how", BROKEN)
def test_four_of_five_broken_data_sets_are_not_imported(how: str, days: Days) -> None:
    assert days.run(good()).did == "created"
    held = days.run(whole(BROKEN[how](ratings())))
    assert held.failed
    assert held.failed.error == "DataHeld"
    told = remedy("DatasetImportJob", held.failed.error, held.failed.reason, WHERE)
    assert told.endswith("mpe accept films interactions --why ...")
    assert "mpe accept" not in held.failed.reason, "a mail has both"
    assert days.jobs == 1


def test_the_fifth_is_imported_and_left_to_the_metrics(days: Days) -> None:
    days.run(good())
    fifth = days.run(whole(shuffled_items(ratings())))
    assert (fifth.failed, fifth.told, days.jobs) == (None, None, 2)


def test_to_observe_is_to_tell_and_to_import(days: Days) -> None:
    days.mode = "observe"
    days.run(good())
    told = days.run(whole(BROKEN["half the users lost"](ratings())))
    assert (told.failed, days.jobs) == (None, 2)
    assert "[MPE-Q014]" in str(told.told)
    kind, detail = [one for one in days.world.heard.told if one[0] == DATA_JUDGED][-1]
    assert (kind, detail["Verdict"], detail["Dataset"]) == (DATA_JUDGED, "hold", "interactions")


def test_off_is_off(days: Days) -> None:
    days.mode = "off"
    days.run(good())
    assert days.run(whole(BROKEN["one single timestamp"](ratings()))).did == "created"
    assert days.world.heard.told == []
    assert days.world.ledger.data_verdicts == {}


def test_what_somebody_accepted_is_imported_and_told_with_their_name(days: Days) -> None:
    days.run(good())
    days.run(whole(BROKEN["half the users lost"](ratings())))
    data = days.world.ledger.data_verdicts["import.interactions"]["data"]
    days.world.ledger.let_in["import.interactions"] = {"data": data, "by": "me", "why": "closed"}
    days.day += 1
    outcome = days.run()
    assert (outcome.did, days.jobs) == ("created", 2)
    assert "let in by me: closed" in str(outcome.told)
    assert days.run(whole(BROKEN["one single timestamp"](ratings()))).failed, "that is other data"


def test_held_data_is_no_measure_for_the_next(days: Days) -> None:
    """Nor is what the service refused: only an import that was done is."""
    days.run(good())
    half = whole(BROKEN["half the users lost"](ratings()))
    days.run(half)
    days.day += 1
    assert days.run(half).failed


def test_data_is_compared_with_what_the_live_version_was_trained_on(days: Days) -> None:
    days.mode = "observe"
    days.run(good())
    made = days.build.emulated.clock() + timedelta(seconds=1)
    live = Version("arn:aws:personalize:::solution/s/1", {}, created=made.isoformat())
    days.world.ledger.numbers[live.arn] = live
    days.world.ledger.pointers["campaign.s.live"] = ModelPointer(live.arn)
    half = whole(BROKEN["half the users lost"](ratings()))
    days.run(half)
    assert days.run(half + "").told, "the newest import is not what is live"
    del days.world.ledger.pointers["campaign.s.live"]
    assert days.run(half).told is None


def test_a_call_again_judges_nothing_twice(days: Days) -> None:
    days.put(good())
    first = days.world.step(days.desired(), run="run-1")
    assert first.wait
    body = days.build.emulated.objects.objects[FILE]
    outcome = days.run()
    assert outcome.did == "created"
    assert days.build.emulated.objects.objects[FILE] is body
    judged = [one for one in days.world.heard.told if one[0] == DATA_JUDGED]
    assert len(judged) == 1


def test_what_cannot_be_counted_in_time_is_imported_and_told(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SECONDS", -1.0)
    outcome = days.run(good())
    assert (outcome.did, outcome.failed) == ("created", None)
    assert "[MPE-Q020]" in str(outcome.told)
    assert "it was not judged: after 1,000 rows the time" in str(outcome.told)


def test_what_may_not_be_read_is_imported_and_told(days: Days) -> None:
    days.put(good())
    days.world.bucket.denied = True
    outcome = days.run()
    assert outcome.did == "created"
    assert "[MPE-Q020]" in str(outcome.told)


def test_events_of_unknown_items_are_held_where_the_items_are_there(
    days: Days, build: Builder
) -> None:
    build.emulated.objects.objects[f"{ITEMS}items.csv"] = "\n".join(["ITEM_ID", *CATALOGUE])
    items = replace(
        imported("items"), id="import.items", data=Data.csvs("data", "train/films/items")
    )
    outcome = days.run(whole(BROKEN["newer half's item ids wrong"](ratings())), items=items)
    assert outcome.failed
    assert "[MPE-Q017]" in outcome.failed.reason
    assert days.run(good(), items=items).did == "created"


def test_an_increment_is_not_compared_with_what_is_there(days: Days) -> None:
    days.run(good())
    one = days.desired()
    few = replace(one, params={**one.params, "importMode": "INCREMENTAL"})
    days.put(whole(list(ratings()[:400])))
    outcome = days.world.follow(few, "run-more")
    assert (outcome.did, outcome.told) == ("created", None)
    kept = days.world.ledger.profiles_["import.interactions", _job(days)]
    assert kept["mode"] == "INCREMENTAL"


def _job(days: Days) -> str:
    return list(days.world.ledger.profiles_)[-1][1]


def test_the_profile_names_no_id_and_is_small(days: Days) -> None:
    days.run(good())
    (row,) = days.world.ledger.profiles_.values()
    assert row["imported"]
    assert len(row["profile"]) < 40_000
    assert '"i1"' not in row["profile"]
    assert of_document(json.loads(row["profile"])).rows("interactions") == len(ratings())
