"""Data is judged before it is imported: held, told or let in, and never twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mpe.aws.clock import Clock
from mpe.handlers import importing
from mpe.handlers.ensure import step_of
from mpe.handlers.importing import DATA_JUDGED, last_full
from mpe.handlers.profiling import DATA_TO_COUNT, Profiling
from mpe.model.config.parse import parse
from mpe.model.errors import Unavailable
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.desired import Data, Desired, DesiredState, desired_state
from mpe.model.plan.forms import RUN
from mpe.model.plan.outcome import Outcome
from mpe.model.remedies import Where, remedy
from mpe.model.service.profile import as_document, of_document
from tests.conftest import config as whole_config
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.everything import everything
from tests.films import BROKEN, CATALOGUE, ratings, shuffled_items
from tests.handlers.test_ensure import REFUSALS, Ticking, World, imported, version
from tests.handlers.test_ensure import world as world
from tests.handlers.test_runs import PLACE

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


@pytest.mark.parametrize("error", REFUSALS, ids=lambda one: type(one).__name__)
def test_an_event_that_the_bus_refuses_for_good_fails_no_import(
    error: Exception, days: Days
) -> None:
    days.run(good())
    days.world.heard.refuses = error
    held = days.run(whole(BROKEN["half the users lost"](ratings())))
    assert held.failed
    assert (held.failed.error, days.jobs) == ("DataHeld", 1)
    assert (days.run(good()).failed, days.jobs) == (None, 2)


def test_a_verdict_that_the_bus_takes_later_is_told_once_it_does(days: Days) -> None:
    days.put(good())
    days.world.heard.refuses = Unavailable("the bus is away")
    with pytest.raises(Unavailable):
        days.world.step(days.desired(), run="run-1")
    days.world.heard.refuses = None
    assert days.run().did == "created"
    assert [kind for kind, _ in days.world.heard.told] == [DATA_JUDGED]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda one: type(one).__name__)
def test_who_cannot_be_asked_to_count_is_not_waited_for(
    error: Exception, days: Days, slow: None
) -> None:
    days.world.heard.refuses = error
    days.put(good())
    begun = days.world.step(days.desired(), run="run-1")
    assert (begun.did, begun.failed) == ("created", None)
    assert "the event bus does not take the wish to have it counted" in str(begun.told)
    assert "[MPE-Q020]" in str(begun.told)


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


def test_where_nothing_is_known_of_what_is_live_the_newest_import_is_compared_with(
    days: Days,
) -> None:
    days.run(good())
    one, other = (f"arn:aws:personalize:::solution/s/{number}" for number in (1, 2))
    days.world.ledger.numbers[other] = Version(other, {}, created=None)
    pointers = {"campaign.s.one": ModelPointer(one), "campaign.s.other": ModelPointer(other)}
    days.world.ledger.pointers.update(pointers)
    held = days.run(whole(BROKEN["half the users lost"](ratings())))
    assert held.failed
    assert "[MPE-Q014]" in held.failed.reason


def test_a_version_was_trained_on_the_last_full_import_that_began_before_it(days: Days) -> None:
    days.mode = "observe"
    days.run(good())
    days.run(whole(BROKEN["half the users lost"](ratings())))
    ledger: Any = days.world.ledger
    first, second = ledger.profiles_.values()

    def known(trained: str | None) -> Any:
        return last_full(ledger, "films", "import.interactions", trained)

    one, other = (of_document(json.loads(row["profile"])) for row in (first, second))
    assert one != other
    assert known(first["at"]) == one
    assert known(second["at"]) == known(None) == other
    assert known("2000-01-01T00:00:00+00:00") is None


def test_data_is_compared_with_no_profile_of_another_release(days: Days) -> None:
    days.run(good())
    (row,) = days.world.ledger.profiles_.values()
    row["profile"] = json.dumps({"version": 99})
    assert days.run(whole(BROKEN["half the users lost"](ratings()))).failed is None


def trained(days: Days, mode: str = "FULL") -> Outcome:
    """Train a solution on what there is, which the gate of the imports is asked about before."""
    of = next(iter(days.build.client.list_solutions()["solutions"]), None)
    group = days.build.client.list_dataset_groups()["datasetGroups"][0]["datasetGroupArn"]
    solution = of["solutionArn"] if of else days.build.solution(group, "user-personalization")
    days.day += 1
    one = version(solution)
    one = replace(one, params={**one.params, "trainingMode": mode})
    now = days.build.emulated.clock()
    return days.world.follow(
        one, f"run-{days.day}", imports=(days.desired(),), task=True, anew_since=now
    )


def test_data_that_was_only_observed_is_not_trained_on_once_the_gate_holds(days: Days) -> None:
    days.mode = "observe"
    days.run(good())
    days.run(whole(BROKEN["one single timestamp"](ratings())))
    assert trained(days).did == "created", "all was told when it was imported"
    days.mode = "hold"
    held = trained(days)
    assert held.failed
    assert (held.failed.error, held.failed.reason[:13]) == ("TrainingHeld", "interactions:")
    assert "[MPE-Q019]" in held.failed.reason
    where = Where.of_outcome(Where("films", "data"), held.as_dict())
    told = remedy("SolutionVersion", held.failed.error, held.failed.reason, where)
    assert told.endswith("mpe accept films interactions --why ...")
    row = days.world.ledger.data_verdicts["import.interactions"]
    let_in = {"data": row["data"], "by": "me", "why": "so it is"}
    assert row["word"] == "hold", "which mpe accept asks for"
    days.world.ledger.let_in["import.interactions"] = let_in
    outcome = trained(days)
    assert outcome.did == "created"
    assert outcome.told == "its data fails the gate, and was let in: interactions by me: so it is"


def test_data_is_judged_by_what_is_live_when_a_training_begins(days: Days) -> None:
    """A person went back to a version of more data since it was imported."""
    days.mode = "observe"
    days.run(good())
    made = days.build.emulated.clock() + timedelta(seconds=1)
    before = Version("arn:aws:personalize:::solution/s/1", {}, created=made.isoformat())
    days.world.ledger.numbers[before.arn] = before
    days.run(whole(BROKEN["half the users lost"](ratings())))
    days.mode = "hold"
    assert trained(days).did == "created", "the newest import is all that is known"
    days.world.ledger.pointers["campaign.s.live"] = ModelPointer(before.arn)
    held = trained(days)
    assert held.failed
    assert "[MPE-Q014]" in held.failed.reason


def test_an_update_and_good_data_are_trained_on(days: Days) -> None:
    days.run(good())
    assert (trained(days).did, trained(days).told) == ("created", None)
    days.mode = "observe"
    days.run(whole(BROKEN["one single timestamp"](ratings())))
    days.mode = "hold"
    assert trained(days, mode="UPDATE").failed is None


@dataclass(frozen=True)
class Saved:
    """The bucket with one run's desired state."""

    state: DesiredState

    def state_of_run(self, pointer: object) -> DesiredState:
        return self.state


def test_only_a_deletion_of_users_knows_what_is_due_after_it() -> None:
    state = desired_state(parse(json.dumps(everything())), PLACE, version="1")
    run = RUN.marked({"id": "r", "group": state.group, "state": {"bucket": "b", "key": "k"}})
    given = {name: "arn" for one in state.resources.values() for name in one.given}
    due = [
        one.noun
        for one in state.resources.values()
        if step_of({"resource": one.id, "run": run, "given": given}, Saved(state)).due  # type: ignore[arg-type]
    ]
    assert due == ["DataDeletionJob"]


def test_a_solution_is_trained_by_its_own_limits_of_data(days: Days) -> None:
    """An import is held to those of the group; each training to its solution's, key by key."""
    document = whole_config()
    group = document["datasetGroup"].setdefault("workflowConfig", {})
    group["gate"] = {"mode": "observe", "data": {"rows": "-20%", "users": "-20%"}}
    (solution, *_) = document["solutions"]
    own = {"rows": "-90%", "users": "-90%", "items": "-90%"}
    solution["workflowConfig"] = {"gate": {"mode": "hold", "data": own}}
    solution["serviceConfig"]["performAutoTraining"] = False
    state = desired_state(parse(json.dumps(document)), PLACE, version="1")
    pointer = {"bucket": "b", "key": "k"}
    run = RUN.marked({"id": "r", "group": state.group, "state": pointer})
    event = {"resource": "version.movielens-for-you", "run": run, "given": {"solutionArn": "arn"}}
    imports = step_of(event, Saved(state)).imports  # type: ignore[arg-type]
    (limits,) = {json.dumps(one.gate) for one in imports}
    assert json.loads(limits)["mode"] == "hold"
    assert json.loads(limits)["data"].items() >= own.items()

    days.mode = "observe"
    days.run(good())
    made = days.build.emulated.clock() + timedelta(seconds=1)
    before = Version("arn:aws:personalize:::solution/s/1", {}, created=made.isoformat())
    days.world.ledger.numbers[before.arn] = before
    days.run(whole(BROKEN["half the users lost"](ratings())))
    days.world.ledger.pointers["campaign.s.live"] = ModelPointer(before.arn)
    days.mode = "hold"
    assert trained(days).failed
    days.data = own | {"itemShift": 1}
    assert trained(days).failed is None


def test_what_was_never_counted_is_trained_on_and_told(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.run(good())
    monkeypatch.setattr(importing, "SECONDS", -1.0)
    days.run(good())
    outcome = trained(days)
    assert outcome.did == "created"
    assert outcome.told == (
        "its data was not judged again: no import of the interactions has been counted."
    )


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


QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Slowly(Ticking):
    """A clock that is ten minutes on whenever somebody looks."""

    def now(self) -> datetime:
        self.fake.advance(600)
        return super().now()


class Large:
    """The function for large data, asked by the bus in memory: once, never, or twice."""

    def __init__(self, days: Days, times: int = 1, clock: Clock | None = None) -> None:
        self.times, self.answers = times, list[str]()
        world, clock = days.world, clock or Ticking(fake=days.build.emulated.clock)
        self.function = Profiling(world.bucket, world.ledger, clock)  # type: ignore[arg-type]
        put, counted, self.looks = world.heard.put, world.ledger.counted, 0

        def look(*of: str) -> dict[str, Any] | None:
            self.looks += 1
            return counted(*of)

        def deliver(kind: str, detail: Any) -> None:
            put(kind, detail)
            asked = json.loads(json.dumps(detail))
            if kind == DATA_TO_COUNT:
                self.answers += [self.function(asked, QUARTER) for _ in range(self.times)]

        world.ledger.counted = look  # type: ignore[method-assign]
        world.heard.put = deliver  # type: ignore[method-assign]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the import step no time to count."""
    monkeypatch.setattr(importing, "SECONDS", -1.0)


def test_what_the_step_cannot_count_in_time_is_counted_by_a_function(
    days: Days, build: Builder, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the Items that it is compared with; both make one profile of the same data."""
    build.emulated.objects.objects[f"{ITEMS}items.csv"] = "\n".join(["ITEM_ID", *CATALOGUE])
    items = replace(
        imported("items"), id="import.items", data=Data.csvs("data", "train/films/items")
    )
    large = Large(days)
    outcome = days.run(good(), items=items)
    assert (outcome.did, outcome.failed, large.answers) == ("created", None, ["profile"])
    assert outcome.told == "It was counted by the function for large data."
    monkeypatch.setattr(importing, "SECONDS", 30.0)
    days.world.bucket.versions = frozenset({"another"})
    assert days.run(good(), items=items).told is None
    theirs, ours = (row["profile"] for row in days.world.ledger.profiles_.values())
    assert theirs == ours
    assert of_document(json.loads(ours)).unknown_items is not None


def test_what_the_function_counted_is_judged_like_all_else(days: Days, slow: None) -> None:
    Large(days)
    days.run(good())
    days.world.bucket.versions = frozenset({"half"})
    held = days.run(whole(BROKEN["half the users lost"](ratings())))
    assert held.failed
    assert held.failed.error == "DataHeld"
    assert "by the function for large data" in held.failed.reason
    assert days.jobs == 1


def test_who_asks_twice_has_it_counted_once(days: Days, slow: None) -> None:
    large = Large(days, times=2)
    assert days.run(good()).did == "created"
    assert large.answers == ["profile", "known"]
    days.day += 1
    days.build.emulated.clock.advance(86_400)
    days.world.bucket.modified = days.build.emulated.clock()
    assert days.run().did == "created"
    assert large.answers == ["profile", "known"], "the same objects are counted once for all runs"


def test_a_function_that_gives_no_answer_is_waited_for_and_not_for_ever(
    days: Days, slow: None
) -> None:
    large = Large(days, times=0)
    outcome = days.run(good())
    assert (outcome.did, outcome.failed) == ("created", None)
    assert "it was not judged: the function that counts large data gave no" in str(outcome.told)
    assert "[MPE-Q020]" in str(outcome.told)
    assert days.world.ledger.held["import.interactions"].startswith("its data is large")
    assert len([one for one, _ in days.world.heard.told if one == DATA_TO_COUNT]) == 1
    assert large.looks < 40
    late = Large(days)
    (asked,) = [one for kind, one in days.world.heard.told if kind == DATA_TO_COUNT]
    assert late.function(asked, QUARTER) == "late"
    again = replace(days.desired(), gate={"mode": "hold"})
    days.world.bucket.modified = days.build.emulated.clock()
    assert days.world.follow(again, "run-next").told == _MADE
    assert late.answers == ["profile"], "another run asks anew"


@pytest.mark.parametrize(("passed", "wait"), [(0, 5), (24, 5), (100, 20), (600, 60), (1199, 60)])
def test_an_answer_is_looked_for_ever_more_rarely(
    days: Days, slow: None, passed: int, wait: int
) -> None:
    days.put(good())
    begun = days.world.step(days.desired(), run="run-1")
    days.build.emulated.clock.advance(passed)
    assert days.world.step(days.desired(), begun, "run-1").wait == wait


def test_an_answer_is_waited_for_twenty_minutes(days: Days, slow: None) -> None:
    days.put(good())
    begun = days.world.step(days.desired(), run="run-1")
    days.build.emulated.clock.advance(20 * 60)
    outcome = days.world.step(days.desired(), begun, "run-1")
    assert "gave no answer in time" in str(outcome.told)


def test_how_far_estimated_figures_may_be_off_is_told(days: Days, slow: None) -> None:
    Large(days)
    days.put(good())
    begun = days.world.step(days.desired(), run="run-1")
    (row,) = days.world.ledger.counts.values()
    profile = replace(
        of_document(json.loads(row["profile"])), errors={"users": 0.01, "items": 0.002}
    )
    row["profile"] = json.dumps(as_document(profile))
    outcome = days.world.step(days.desired(), begun, "run-1")
    assert str(outcome.told).endswith("estimated its ids: they may be off by 3.0%.")


_MADE = "It was counted by the function for large data."


def test_a_step_that_is_killed_after_it_asked_asks_again(
    days: Days, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Large(days, times=0)
    days.put(good())
    with monkeypatch.context() as killed:
        killed.setattr(days.world.ledger, "ask_count", lambda *_: None)
        assert days.world.step(days.desired(), run="run-1").wait
    large.times = 1
    assert days.run().told == _MADE
    assert large.answers == ["profile"]


def test_what_the_function_cannot_count_either_is_told_at_once(days: Days, slow: None) -> None:
    Large(days, clock=Slowly(fake=days.build.emulated.clock))
    outcome = days.run(good())
    assert outcome.did == "created"
    assert "it was not judged: after 1,000 rows the time" in str(outcome.told)


def test_data_that_changes_while_it_is_counted_is_not_judged_by_it(days: Days, slow: None) -> None:
    large = Large(days)
    days.put(good())
    lines = days.world.bucket.lines

    def overwritten(location: str) -> Any:
        days.world.bucket.versions = frozenset({"newer"})
        return lines(location)

    days.world.bucket.lines = overwritten  # type: ignore[method-assign]
    days.world.step(days.desired(), run="run-1")
    (row,) = days.world.ledger.counts.values()
    assert (large.answers, row["failed"]) == (["failed"], "it was changed while it was counted.")


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


def increment(days: Days, rows: int) -> Outcome:
    """Import so many rows more."""
    one = days.desired()
    more = replace(one, params={**one.params, "importMode": "INCREMENTAL"})
    days.put(whole(list(ratings()[:rows])))
    return days.world.follow(more, f"run-{days.day}")


def test_an_increment_is_not_compared_with_what_is_there(days: Days) -> None:
    days.run(good())
    outcome = increment(days, 400)
    assert (outcome.did, outcome.told) == ("created", None)
    kept = days.world.ledger.profiles_["import.interactions", _job(days)]
    assert kept["mode"] == "INCREMENTAL"
    notes = days.world.ledger.data_verdicts["import.interactions"]["notes"]
    assert notes == ["There are fewer than 3 increments before it, so that they are not compared."]


def test_an_increment_is_compared_with_those_before_it_once_there_are_three(days: Days) -> None:
    days.run(good())
    for rows in (1950, 5000, 2000):
        assert increment(days, rows).failed is None
    held = increment(days, 1000)
    assert held.failed
    assert "[MPE-Q013]" in held.failed.reason
    assert "-50.0 % against the 2,000 of the increments before it" in held.failed.reason
    assert increment(days, 1900).failed is None, "what was held is no measure"


def _job(days: Days) -> str:
    return list(days.world.ledger.profiles_)[-1][1]


def test_the_profile_names_no_id_and_is_small(days: Days) -> None:
    days.run(good())
    (row,) = days.world.ledger.profiles_.values()
    assert row["imported"]
    assert len(row["profile"]) < 40_000
    assert '"i1"' not in row["profile"]
    assert of_document(json.loads(row["profile"])).rows("interactions") == len(ratings())
