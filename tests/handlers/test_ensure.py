"""One step at a time towards a desired state, with lost answers and faults on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.clock import Clock
from mpe.aws.events import EventsError
from mpe.aws.objects import DataVersion, Objects, Unreadable
from mpe.aws.personalize import Personalize
from mpe.emulator import FakeClock, MemoryObjects, Request, Response
from mpe.handlers.ensure import Ensure, Step
from mpe.local.faults import without_newest
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.desired import Data, Desired
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.owner import marked
from mpe.model.plan.removals import Made
from mpe.model.plan.waits import KNOWN_WITHIN, VISIBLE_WITHIN
from mpe.model.service.csvs import Head
from tests.conftest import BUCKET, ROLE, Emulated, interactions
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.emulator.test_recommenders import create
from tests.emulator.test_recommenders import shop as shop
from tests.handlers.measured import Measured

PLACE = "arn:aws:personalize:us-east-1:000000000000:"
RUN = "20260101T000000-abcdef12"


@dataclass
class Ledger:
    """The ledger in memory."""

    kept: dict[tuple[str, str], float] = field(default_factory=dict)
    types: dict[tuple[str, str], float] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, frozenset[str]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Version] = field(default_factory=dict)
    judged: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pointers: dict[str, ModelPointer] = field(default_factory=dict)
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    decided: list[dict[str, Any]] = field(default_factory=list)
    asks: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    probes: dict[str, dict[str, Any]] = field(default_factory=dict)
    smokes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    watches: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    moved: dict[str, list[ModelPointer]] = field(default_factory=dict)
    profiles_: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    data_verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    let_in: dict[str, dict[str, Any]] = field(default_factory=dict)
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def durations(self, group: str, resource: str, kind: str) -> tuple[float, ...]:
        return (self.kept[resource, kind],) if (resource, kind) in self.kept else ()

    def usual(self, noun: str, kind: str) -> tuple[float, ...]:
        return (self.types[noun, kind],) if (noun, kind) in self.types else ()

    def remember(self, group: str, resource: str, noun: str, kind: str, seconds: float) -> None:
        self.kept[resource, kind] = self.types[noun, kind] = seconds

    def see(self, group: str, job: str, objects: frozenset[str], now: datetime) -> None:
        self.data[job] = objects

    def seen(self, group: str, job: str) -> frozenset[str] | None:
        return self.data.get(job)

    def weigh(self, group: str, version: Version) -> None:
        self.numbers[version.arn] = version

    def weighed(self, group: str, arn: str) -> Version | None:
        assert arn, "a key of the table has a version's ARN"
        return self.numbers.get(arn)

    def versions(self, group: str, solution: str) -> Iterator[Version]:
        yield from (one for one in self.numbers.values() if one.solution == solution)

    def note_verdict(self, group: str, version: str, campaign: str, row: Any) -> bool:
        new = (version, campaign) not in self.judged
        self.judged.setdefault((version, campaign), {"campaign": campaign, **row})
        return new

    def verdicts(self, group: str, version: str) -> Iterator[dict[str, Any]]:
        yield from (row for (of, _), row in self.judged.items() if of == version)

    def pointer(self, group: str, campaign: str) -> ModelPointer | None:
        return self.pointers.get(campaign)

    def point(self, group: str, campaign: str, pointer: ModelPointer) -> None:
        self.pointers[campaign] = pointer

    def decision(self, group: str, version: str) -> dict[str, Any] | None:
        return self.decisions.get(version)

    def decide(self, group: str, version: str, row: Any) -> bool:
        if self.decisions.get(version, {}).get("word") == row["word"]:
            return False
        self.decisions[version] = dict(row)
        return True

    def note_decision(self, group: str, row: Any) -> bool:
        self.decided.append(dict(row))
        return True

    def imports(self, group: str) -> dict[str, dict[str, str]]:
        done = ((key, row) for key, row in self.profiles_.items() if row.get("imported"))
        return {dataset: {"job": job, "data": row["data"]} for (dataset, job), row in done}

    def expire(self, group: str, version: str, row: Any) -> bool:
        if version in self.decisions:
            return False
        self.decisions[version] = {**row, "word": "expired"}
        return True

    def note_probes(self, group: str, campaign: str, row: Any) -> None:
        self.probes[campaign] = dict(row)

    def probed(self, group: str, campaign: str, version: str) -> dict[str, Any] | None:
        found = self.probes.get(campaign)
        return found if found and found["version"] == version else None

    def note_smoke(self, group: str, campaign: str, version: str, row: Any) -> None:
        self.smokes[campaign, version] = dict(row)

    def smoked(self, group: str, campaign: str, version: str) -> dict[str, Any] | None:
        return self.smokes.get((campaign, version))

    def note_watch(self, group: str, campaign: str, version: str, row: Any) -> None:
        self.watches[campaign, version] = dict(row)

    def watched(self, group: str, campaign: str, version: str) -> dict[str, Any] | None:
        return self.watches.get((campaign, version))

    def note_move(self, group: str, campaign: str, pointer: ModelPointer) -> None:
        moved = self.moved.setdefault(campaign, [])
        if pointer not in moved:
            moved.append(pointer)

    def undo(self, group: str, campaign: str, before: ModelPointer, after: ModelPointer) -> bool:
        found = self.pointers[campaign]
        unmoved = (found.version, found.at) == (before.version, before.at) and not found.frozen
        if unmoved:
            self.pointers[campaign] = after
        return unmoved

    def moves(self, group: str, campaign: str) -> Iterator[ModelPointer]:
        yield from self.moved.get(campaign, ())

    def note_measured(self, group: str, recommender: str, row: Any) -> None:
        self.measures[recommender] = dict(row)

    def measured(self, group: str, recommender: str) -> dict[str, Any] | None:
        return self.measures.get(recommender)

    def gated(self) -> Iterator[str]:
        yield from ("a-group-that-is-gone", "films") if self.pointers or self.measures else ()

    def all_pointers(self, group: str) -> Iterator[tuple[str, ModelPointer]]:
        yield from self.pointers.items()

    def profiled(self, group: str, dataset: str, job: str, row: Any) -> None:
        self.profiles_[dataset, job] = dict(row)

    def imported(self, group: str, dataset: str, job: str, at: datetime | None) -> None:
        if (dataset, job) in self.profiles_ and at:
            self.profiles_[dataset, job] |= {"imported": True, "at": at.isoformat()}

    def profiles(self, group: str, dataset: str) -> Iterator[dict[str, Any]]:
        yield from (row for (of, _), row in self.profiles_.items() if of == dataset)

    def ask_count(self, group: str, dataset: str, key: str, row: Any) -> None:
        if self.counts.get((dataset, key), {}).get("job") != row["job"]:
            self.counts[dataset, key] = dict(row)

    def note_count(self, group: str, dataset: str, key: str, row: Any) -> None:
        self.counts[dataset, key] = dict(row)

    def counted(self, group: str, dataset: str, key: str) -> dict[str, Any] | None:
        return self.counts.get((dataset, key))

    def note_data(self, group: str, dataset: str, row: Any) -> None:
        self.data_verdicts[dataset] = dict(row)

    def data_verdict(self, group: str, dataset: str) -> dict[str, Any] | None:
        return self.data_verdicts.get(dataset)

    def accept(self, group: str, dataset: str, row: Any) -> bool:
        new = self.let_in.get(dataset, {}).get("data") != row["data"]
        self.let_in.setdefault(dataset, dict(row))
        return new

    def accepted(self, group: str, dataset: str) -> dict[str, Any] | None:
        return self.let_in.get(dataset)

    def hold(self, group: str, run: str, resource: str, why: str, now: datetime) -> None:
        self.held[resource] = why

    def first(self, group: str, run: str, what: str, now: datetime) -> bool:
        known = f"TOLD {run} {what}" in self.data
        self.data[f"TOLD {run} {what}"] = frozenset()
        return not known

    def asked(self, group: str, run: str, resource: str) -> datetime | None:
        return self.asks.get((run, resource))

    def ask(self, group: str, run: str, resource: str, now: datetime, at: datetime | None) -> None:
        self.asks[run, resource] = at

    def note_made(self, group: str, made: Made) -> None:
        self.made[made.arn] = made

    def record(self, group: str, run: str, outcome: Any, now: datetime) -> None:
        self.rows[outcome["resource"]] = dict(outcome)


@dataclass
class Turn:
    """Whose turn it is: the run's own, unless it has lost it."""

    lost: bool = False
    began_: datetime | None = None
    newest: str = ""

    def holds(self, group: str, run: str) -> bool:
        return not self.lost

    def began(self, group: str, run: str) -> datetime | None:
        return self.began_

    def overtaken(self, group: str, run: str, sequencer: str) -> bool:
        return bool(sequencer) and sequencer < self.newest

    def resume(self, group: str, run: str, sequencer: str, now: datetime, redriven: int) -> bool:
        return not self.lost


@dataclass
class Heard:
    """The bus in memory."""

    events: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuses: Exception | None = None
    """What it answers to all but what became of resources."""

    def resource_changed(self, noun: str, arn: str, status: str, duration: float | None) -> None:
        self.events.append((noun, status))

    def put(self, kind: str, detail: Mapping[str, Any]) -> None:
        if self.refuses:
            raise self.refuses
        self.told.append((kind, dict(detail)))


REFUSALS = [
    EventsError("Personalize Data Judged: NotAuthorizedForSourceException: no"),
    ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents"),
]
"""What the bus answers where it will never take an event: for one entry, or for the whole call
(https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html)."""


class Bucket(Objects):
    """The data bucket in memory."""

    modified: datetime | None = None
    versions: frozenset[str] = frozenset()

    def __init__(self, objects: MemoryObjects | None = None) -> None:
        super().__init__(None)
        self.objects = objects or MemoryObjects()
        self.denied = False

    def heads(self, location: str) -> Iterator[Head]:
        if self.denied:
            raise Unreadable("AccessDenied")
        for url, body in sorted(self.objects.objects.items()):
            if url == location or (location.endswith("/") and url.startswith(location)):
                yield Head(url, body.encode() if isinstance(body, str) else body)

    def lines(self, location: str) -> Iterator[Iterator[str]]:
        for head in self.heads(location):
            yield iter(head.content.decode().splitlines(keepends=True))

    def data(self, data: Data) -> DataVersion:
        at = data.folder if data.folder.endswith("items/") else data.file
        return DataVersion(f"s3://{data.bucket}/{at}", self.modified, self.versions)


@dataclass(frozen=True)
class Ticking(Clock):
    """The emulator's clock, as the handlers see it."""

    fake: FakeClock = field(default_factory=FakeClock)

    def now(self) -> datetime:
        return self.fake()


class World:
    """An ensure function with everything around it in memory, and a patient workflow."""

    def __init__(self, emulated: Emulated) -> None:
        self.emulated = emulated
        self.ledger, self.heard, self.bucket = Ledger(), Heard(), Bucket(emulated.objects)
        self.measured = Measured()
        self.turns = Turn()
        self.calls = 0
        self.ensure = Ensure(
            Personalize(emulated.client),
            self.bucket,
            self.ledger,  # type: ignore[arg-type]
            self.turns,
            self.heard,
            self.measured,
            Ticking(fake=emulated.clock),
        )

    def step(
        self, desired: Desired, previous: Outcome | None = None, run: str = RUN, **task: Any
    ) -> Outcome:
        self.calls += 1
        step = Step(run, "films", desired, previous or Outcome.of(desired), **task)
        return self.ensure(step)

    def follow(self, desired: Desired, run: str = RUN, **task: Any) -> Outcome:
        """Do as the workflow does: wait as long as the answer says, and ask again."""
        outcome = self.step(desired, run=run, **task)
        while outcome.wait is not None:
            self.emulated.clock.advance(outcome.wait)
            carried = Outcome.from_dict(outcome.as_dict())
            outcome = self.step(desired, carried, run, **task)
        return outcome


@pytest.fixture
def world(emulated: Emulated) -> World:
    return World(emulated)


def group(**params: Any) -> Desired:
    return Desired(
        "datasetGroup",
        "DatasetGroup",
        "films",
        "$.datasetGroup",
        {"name": "films", **params},
        arn=f"{PLACE}dataset-group/films",
    )


def schema(text: str) -> Desired:
    return Desired(
        "schema", "Schema", "s", "$.s", {"name": "s", "schema": text}, arn=f"{PLACE}schema/s"
    )


def version(solution: str) -> Desired:
    return Desired(
        "version.s", "SolutionVersion", "s", "$.s", {"solutionArn": solution}, parent=solution
    )


def campaign(version: str, tps: int = 1) -> Desired:
    return Desired(
        "campaign",
        "Campaign",
        "live",
        "$.c",
        {"name": "live", "solutionVersionArn": version, "minProvisionedTPS": tps},
        arn=f"{PLACE}campaign/live",
        parent=version.rsplit("/", 1)[0],
    )


def imported(dataset: str) -> Desired:
    params = {"datasetArn": dataset, "roleArn": ROLE}
    data = Data.csvs("data", "train/films/interactions")
    return Desired("import", "DatasetImportJob", "events", "$.d", params, parent=dataset, data=data)


def test_what_is_absent_is_created_and_waited_for(world: World) -> None:
    first = world.step(group())
    assert (first.did, first.status) == ("created", "CREATE PENDING")
    assert first.wait
    last = world.follow(group())
    assert (last.did, last.status) == ("adopted", "ACTIVE")


def test_a_run_that_has_lost_its_turn_creates_nothing(world: World) -> None:
    world.turns.lost = True
    outcome = world.step(group())
    assert outcome.failed is not None
    assert outcome.failed.error == "TurnLost"
    assert "lost its turn in films" in outcome.failed.reason
    assert world.emulated.client.list_dataset_groups()["datasetGroups"] == []


def test_a_run_that_has_lost_its_turn_still_sees_what_it_began(world: World) -> None:
    begun = world.step(group())
    world.turns.lost = True
    world.emulated.clock.advance(3600)
    assert world.step(group(), begun).failed is None


def test_a_run_that_is_redriven_without_its_turn_stops_at_once(world: World) -> None:
    begun = world.step(group())
    world.turns.lost = True
    outcome = world.step(group(), begun, redriven=1)
    assert outcome.failed is not None
    assert outcome.failed.error == "TurnLost"


def test_a_run_that_is_redriven_with_its_turn_goes_on(world: World) -> None:
    begun = world.step(group())
    world.emulated.clock.advance(3600)
    outcome = world.step(group(), begun, redriven=1)
    assert (outcome.did, outcome.status) == ("created", "ACTIVE")


def test_a_run_that_has_lost_its_turn_changes_nothing(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    live = campaign(build.version(build.solution(group_)))
    world.follow(live)
    world.turns.lost = True
    outcome = world.step(replace(live, params={**live.params, "minProvisionedTPS": 5}))
    assert outcome.failed is not None
    assert outcome.failed.error == "TurnLost"


def test_a_creation_is_told_and_recorded(world: World) -> None:
    outcome = world.follow(group())
    assert (outcome.did, outcome.seconds) == ("created", 30)
    assert world.heard.events == [
        ("DatasetGroup", "CREATE PENDING"),
        ("DatasetGroup", "CREATE IN_PROGRESS"),
        ("DatasetGroup", "ACTIVE"),
    ]
    assert world.ledger.rows["datasetGroup"]["did"] == "created"
    assert world.ledger.kept == {("datasetGroup", "created"): 30}


def test_a_known_duration_takes_a_few_calls(world: World) -> None:
    world.ledger.kept["datasetGroup", "created"] = 30
    world.follow(group())
    assert world.calls <= 6


def test_a_new_resource_is_expected_to_take_as_long_as_others_of_its_type(world: World) -> None:
    usual = world.step(group()).wait
    world.ledger.types["DatasetGroup", "created"] = 300
    slower = world.step(group()).wait
    assert usual
    assert slower
    assert slower > 3 * usual


def test_what_is_there_is_kept_and_nothing_is_told(world: World) -> None:
    world.follow(group())
    world.heard.events.clear()
    outcome = world.follow(group())
    assert outcome.did == "kept"
    assert world.heard.events == []


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    """Return what the lines of the log have that say this."""
    return [vars(one) for one in caplog.records if one.message == message]


def test_a_group_that_others_made_is_marked_as_the_stacks(world: World, build: Builder) -> None:
    arn, ours = build.group(), group(tags=marked((), "Films"))
    outcome = world.follow(ours)
    assert (outcome.did, outcome.told) == ("marked", "maintained by the stack Films")
    tags = build.client.list_tags_for_resource(resourceArn=arn)["tags"]
    assert [one["tagValue"] for one in tags] == ["Films"]
    assert world.heard.events == [], "nothing became of it"
    assert world.follow(ours).did == "kept"


def test_a_group_that_may_have_no_more_tags_is_maintained_without_a_mark(
    world: World, build: Builder, caplog: pytest.LogCaptureFixture
) -> None:
    build.group()
    refusing = Refusing(world.emulated.client, "tag_resource", ["TooManyTagsException"])
    world.ensure = replace(world.ensure, personalize=Personalize(refusing))
    outcome = world.follow(group(tags=marked((), "Films")))
    assert (outcome.did, outcome.told, outcome.failed) == ("kept", None, None)
    (line,) = logged(caplog, "not marked")
    assert (line["resource"], line["error"]) == ("datasetGroup", "no")


def test_what_has_no_status_is_ready_at_once(world: World) -> None:
    outcome = world.step(schema(avro("Users")))
    assert (outcome.did, outcome.wait, outcome.status) == ("created", None, "ACTIVE")
    assert world.step(schema(avro("Users"))).did == "kept"


def test_a_schema_that_differs_is_refused(world: World) -> None:
    world.step(schema(avro("Users")))
    more = {"name": "MORE", "type": "int"}
    outcome = world.step(schema(avro("Users", more)))
    assert outcome.failed
    assert outcome.failed.error == "DriftError"
    assert "cannot change schema" in outcome.failed.reason


def test_a_refusal_of_the_service_is_an_outcome_in_its_words(world: World) -> None:
    outcome = world.step(schema("{}"))
    assert outcome.failed
    assert outcome.failed.error == "InvalidInputException"
    assert "Schema validation failed" in outcome.failed.reason
    assert world.ledger.rows["schema"]["failed"]["error"] == "InvalidInputException"


@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "LimitExceededException", "ResourceInUseException", "InternalFailure"],
)
def test_what_may_pass_is_waited_out(world: World, code: str) -> None:
    world.emulated.service.faults.error("CreateDatasetGroup", code, "later", times=3)
    outcome = world.follow(group())
    assert outcome.status == "ACTIVE"
    assert world.measured.waits == {"DatasetGroup": outcome.blocked}
    assert outcome.blocked > 0


def test_a_quota_that_never_frees_is_given_up_in_the_services_words(world: World) -> None:
    for n in range(5):
        world.emulated.client.create_dataset_group(name=f"g{n}")
    outcome = world.step(group())
    assert outcome.failed, "at once"
    assert outcome.failed.error == "LimitExceededException"


def test_a_creation_whose_answer_was_lost_is_not_repeated(world: World) -> None:
    world.step(group())
    again = world.step(group())
    assert (again.did, again.status) == ("adopted", "CREATE PENDING")
    assert len(world.emulated.client.list_dataset_groups()["datasetGroups"]) == 1


@pytest.mark.parametrize("looks", [1, 3])
def test_what_was_made_and_is_not_seen_yet_is_waited_for(world: World, looks: int) -> None:
    outcome = world.step(group())
    lagging = Lagging(world, looks)
    while outcome.wait is not None:
        world.emulated.clock.advance(outcome.wait)
        outcome = world.step(group(), Outcome.from_dict(outcome.as_dict()))
    assert lagging.left == 0
    assert (outcome.did, outcome.status, outcome.failed) == ("created", "ACTIVE", None)
    assert outcome.unseen is None


@pytest.mark.parametrize("looks", [1, 3])
def test_what_a_task_is_about_and_does_not_see_is_looked_for_again(
    world: World, looks: int
) -> None:
    """A task may fire a minute after its resource was made, and fails for good without it."""
    world.follow(group())
    lagging = Lagging(world, looks)
    outcome = world.follow(group(), "task", task=True)
    assert lagging.left == 0
    assert (outcome.did, outcome.failed) == ("kept", None)


@pytest.mark.parametrize("task", [False, True])
def test_what_is_made_of_something_that_is_not_seen_yet_is_asked_for_again(
    world: World, build: Builder, task: bool
) -> None:
    group_ = build.group()
    build.imported(group_)
    desired = version(build.solution(group_))
    error = world.emulated.service.faults.error
    error("CreateSolutionVersion", "ResourceNotFoundException", times=3)
    outcome = world.follow(desired, "again", task=task)
    assert (outcome.did, outcome.failed, outcome.unseen) == ("created", None, None)


@pytest.mark.parametrize("seconds", [60, 250])
def test_what_was_made_after_such_a_wait_may_be_unseen_as_long_as_anything(
    world: World, seconds: int
) -> None:
    """The minutes of the one are not those of the other, or what is paid for would be given up."""
    error, began = world.emulated.service.faults.error, world.emulated.clock()
    outcome = Outcome.of(group())
    while outcome.did is None:
        if (world.emulated.clock() - began).total_seconds() < seconds:
            error("CreateDatasetGroup", "ResourceNotFoundException")
        outcome = world.step(group(), outcome)
        assert outcome.wait
        world.emulated.clock.advance(outcome.wait)
    lagging = Lagging(world, 4)
    while outcome.wait is not None:
        outcome = world.step(group(), Outcome.from_dict(outcome.as_dict()))
        world.emulated.clock.advance(outcome.wait or 0)
    assert lagging.left == 0
    assert (outcome.did, outcome.status, outcome.failed) == ("created", "ACTIVE", None)


def test_what_is_made_of_something_that_there_is_not_fails_in_the_services_words(
    world: World,
) -> None:
    before = world.emulated.clock()
    outcome = world.follow(imported(f"{PLACE}dataset/films/INTERACTIONS"))
    assert outcome.failed
    assert outcome.failed.error == "ResourceNotFoundException"
    assert "dataset/films/INTERACTIONS" in outcome.failed.reason
    assert outcome.failed.reason in world.ledger.held.values()  # which people see
    waited = (world.emulated.clock() - before).total_seconds()
    assert VISIBLE_WITHIN <= waited < 2 * VISIBLE_WITHIN


def test_a_version_that_exists_and_is_not_listed_yet_is_waited_for(
    world: World, build: Builder
) -> None:
    """Its creation's answer was lost, the next says that it exists, and the list lags behind."""
    group_ = build.group()
    build.imported(group_)
    solution = build.solution(group_)
    first = world.step(version(solution))
    lagging = Lagging(world, 2)
    world.ledger.asks.clear()
    outcome = world.step(version(solution))
    assert (outcome.did, outcome.arn) == ("created", None)
    while outcome.wait is not None:
        world.emulated.clock.advance(outcome.wait)
        outcome = world.step(version(solution), Outcome.from_dict(outcome.as_dict()))
    assert lagging.left == 0
    assert (outcome.arn, outcome.failed) == (first.arn, None)


@dataclass
class Lost:
    """A service whose answer to the first creation of a version is an error."""

    world: World
    effective: bool
    """Whether that creation took effect."""
    asked: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._answer = self.world.emulated.service.handle
        self.world.emulated.service.handle = self  # type: ignore[method-assign, assignment]

    def __call__(self, request: Request) -> Response:
        if request.operation != "CreateSolutionVersion":
            return self._answer(request)
        self.asked.append(self.world.emulated.clock())
        if len(self.asked) > 1:
            return self._answer(request)
        if self.effective:
            self._answer(request)
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        return Response(500, kind, b'{"__type": "InternalFailure"}')


@pytest.mark.parametrize("killed", [False, True], ids=["answer-lost", "function-killed"])
def test_a_training_that_may_have_begun_is_not_asked_for_again_while_lists_lag(
    world: World, build: Builder, killed: bool
) -> None:
    """No page promises that CreateSolutionVersion refuses a second one of the same name."""
    group_ = build.group()
    build.imported(group_)
    solution = build.solution(group_)
    lost, lagging = Lost(world, effective=True), Lagging(world, 5)
    outcome = world.step(version(solution))
    if killed:  # and called again with what it was called with
        outcome = world.step(version(solution))
    while outcome.wait is not None:
        world.emulated.clock.advance(outcome.wait)
        outcome = world.step(version(solution), Outcome.from_dict(outcome.as_dict()))
    assert lagging.left == 0
    assert (len(lost.asked), outcome.did, outcome.failed) == (1, "created", None)
    assert len(build.client.list_solution_versions(solutionArn=solution)["solutionVersions"]) == 1


def test_a_training_that_did_not_begin_is_asked_for_again_once_lists_would_tell(
    world: World, build: Builder
) -> None:
    group_ = build.group()
    build.imported(group_)
    lost = Lost(world, effective=False)
    assert world.follow(version(build.solution(group_))).did == "created"
    first, second = lost.asked
    assert VISIBLE_WITHIN <= (second - first).total_seconds() < 2 * VISIBLE_WITHIN


def test_a_training_that_was_refused_is_asked_for_again_as_soon_as_anything(
    world: World, build: Builder
) -> None:
    group_ = build.group()
    build.imported(group_)
    refusing = Refusing(
        world.emulated.client, "create_solution_version", ["LimitExceededException"]
    )
    world.ensure = replace(world.ensure, personalize=Personalize(refusing))
    wanted = version(build.solution(group_))
    waits = world.step(wanted)
    assert waits.wait
    assert waits.wait <= 5
    world.emulated.clock.advance(waits.wait)
    assert world.step(wanted, waits).did == "created"


def test_what_was_made_and_stays_away_is_told_within_minutes(world: World) -> None:
    outcome = world.step(group())
    lagging = Lagging(world, 10_000)
    began = world.emulated.clock()
    while outcome.wait is not None:
        world.emulated.clock.advance(outcome.wait)
        outcome = world.step(group(), Outcome.from_dict(outcome.as_dict()))
    assert outcome.failed
    assert "disappeared" in outcome.failed.reason
    assert (world.emulated.clock() - began).total_seconds() < 4 * VISIBLE_WITHIN
    assert 10_000 - lagging.left < 15, "it is looked for ever less often"


class Lagging:
    """Some looks of a service that do not see what there is yet."""

    def __init__(self, world: World, looks: int) -> None:
        self.left = looks
        self._answer = world.emulated.service.handle
        world.emulated.service.handle = self  # type: ignore[method-assign, assignment]

    def __call__(self, request: Request) -> Response:
        response = self._answer(request)
        if self.left and request.operation in {"DescribeDatasetGroup", "ListSolutionVersions"}:
            self.left -= 1
            if request.operation.startswith("List"):
                return replace(response, body=without_newest(response.body).encode())
            body = json.dumps({"__type": "ResourceNotFoundException", "message": "not there"})
            return Response(400, response.headers, body.encode())
        return response


def test_a_failure_of_this_run_is_final(world: World) -> None:
    world.emulated.service.faults.fail("DatasetGroup", "films", "out of luck")
    outcome = world.follow(group())
    assert outcome.failed
    assert outcome.failed.reason == "out of luck"
    assert world.heard.events[-1] == ("DatasetGroup", "CREATE FAILED")


def test_data_is_imported_once_and_again_when_it_is_newer(world: World, build: Builder) -> None:
    desired = imported(build.dataset(build.group()))
    world.emulated.objects.objects[f"{BUCKET}/interactions.csv"] = interactions()
    world.bucket.modified = world.emulated.clock()
    first = world.follow(desired)
    assert first.did == "created"
    when = world.bucket.modified.isoformat(timespec="seconds")
    assert first.data == f"{when} {BUCKET}/interactions.csv"
    assert world.follow(desired, "run-2").did == "kept"
    build.wait(10)
    world.bucket.modified = world.emulated.clock()
    assert world.follow(desired, "run-3").did == "created"
    jobs = world.emulated.client.list_dataset_import_jobs()["datasetImportJobs"]
    assert [job["jobName"] for job in jobs] == [f"events-{RUN}", "events-run-3"]


def test_an_import_that_failed_is_tried_anew_by_the_next_run_only(
    world: World, build: Builder
) -> None:
    desired = imported(build.dataset(build.group()))
    key = f"{BUCKET}/interactions.csv"
    world.emulated.objects.objects[key] = interactions(users=1)
    failed = world.follow(desired).failed
    assert failed
    assert "fewer than 1000" in failed.reason
    world.emulated.objects.objects[key] = interactions()
    assert world.follow(desired, "run-2").did == "created"
    assert len(world.emulated.client.list_dataset_import_jobs()["datasetImportJobs"]) == 2


def test_a_training_that_others_began_is_adopted(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    solution = build.solution(group_)
    theirs = build.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    outcome = world.follow(version(solution))
    assert (outcome.did, outcome.arn) == ("adopted", theirs)


def test_a_training_whose_answer_was_lost_is_not_paid_twice(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    desired = version(build.solution(group_))
    first = world.step(desired)
    assert first.did == "created"
    # The list may lag behind: then the name, which is the run's, is already taken.
    taken = world.ensure._attempt(Step(RUN, "films", desired, Outcome.of(desired)))
    assert taken.arn == first.arn
    assert world.follow(desired).status == "ACTIVE"
    assert len(world.emulated.client.list_solution_versions()["solutionVersions"]) == 1


def test_a_campaign_moves_to_another_version(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    solution = build.solution(group_)
    old, new = build.version(solution), build.version(solution)
    assert world.follow(campaign(old)).did == "created"
    outcome = world.follow(campaign(new, tps=2), "run-2")
    assert (outcome.did, outcome.status) == ("updated", "ACTIVE")
    told = world.emulated.client.describe_campaign(campaignArn=outcome.arn)["campaign"]
    assert (told["solutionVersionArn"], told["minProvisionedTPS"]) == (new, 2)


@pytest.mark.parametrize("theirs", [True, False])
def test_a_campaign_moves_to_another_solution_of_its_own_group_alone(
    world: World, build: Builder, theirs: bool
) -> None:
    first = build.group()
    build.imported(first)
    old = build.version(build.solution(first))
    assert world.follow(campaign(old)).did == "created"
    second = first
    if theirs:
        second = build.group(name="others")
        build.begin_import(build.dataset(second, name="theirs"), name="theirs")
        build.wait(900)
    new = build.version(build.solution(second, name="newer"))
    outcome = world.follow(replace(campaign(new), group=second), "run-2")
    told = world.emulated.client.describe_campaign(campaignArn=f"{PLACE}campaign/live")["campaign"]
    if not theirs:
        assert outcome.did == "updated"
        assert told["solutionVersionArn"] == new
        return
    assert outcome.failed
    assert outcome.failed.error == "DriftError"
    assert "is of the dataset group films" in outcome.failed.reason
    assert told["solutionVersionArn"] == old


def test_a_solutions_automatic_training_is_converged(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    arn = build.solution(group_, performAutoTraining=True)
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}
    params = {"name": "for-you", "performAutoTraining": True, "solutionConfig": config}
    desired = Desired("solution", "Solution", "for-you", "$.s", params, arn=arn)
    assert world.follow(desired).did == "updated"
    told = world.emulated.client.describe_solution(solutionArn=arn)["solution"]
    assert told["solutionConfig"] == config
    off = replace(desired, params={"name": "for-you", "performAutoTraining": False})
    assert world.follow(off).did == "updated"
    assert not world.emulated.client.describe_solution(solutionArn=arn)["solution"][
        "performAutoTraining"
    ]


def test_what_a_solution_cannot_change_is_refused_by_its_member(
    world: World, build: Builder
) -> None:
    group_ = build.group()
    build.imported(group_)
    arn = build.solution(group_)
    params = {"solutionConfig": {"eventValueThreshold": "3"}}
    outcome = world.step(Desired("solution", "Solution", "for-you", "$.s", params, arn=arn))
    assert outcome.failed
    assert "solutionConfig.eventValueThreshold is null" in outcome.failed.reason


def test_the_name_of_a_job_stays_within_the_services_limit(world: World, build: Builder) -> None:
    desired = replace(imported(build.dataset(build.group())), name="x" * 63)
    world.emulated.objects.objects[f"{BUCKET}/interactions.csv"] = interactions()
    world.step(desired)
    (job,) = world.emulated.client.list_dataset_import_jobs()["datasetImportJobs"]
    assert len(job["jobName"]) <= 63
    assert job["jobName"].endswith(RUN)


def exported(dataset: str, **params: Any) -> Desired:
    output = "s3://data/export/films/interactions/"
    params = {"datasetArn": dataset, "roleArn": ROLE, **params}
    name = str(params.get("ingestionMode", "events")).lower()
    id = f"export.{name}"
    return Desired(id, "DatasetExportJob", name, "$.e", params, parent=dataset, output=output)


def test_of_a_parents_jobs_only_the_wanted_one_counts(world: World, build: Builder) -> None:
    dataset = build.imported(build.group())
    first = world.follow(exported(dataset, ingestionMode="BULK"))
    assert first.did == "created"
    other = world.follow(exported(dataset))
    assert other.did == "created", "a job for other data is another job"
    assert world.follow(exported(dataset, ingestionMode="BULK")).arn == first.arn
    assert world.follow(exported(dataset), "run-2").did == "kept"


def test_a_job_writes_to_a_folder_of_its_own_name(world: World, build: Builder) -> None:
    arn = world.follow(exported(build.imported(build.group()))).arn
    job = build.client.describe_dataset_export_job(datasetExportJobArn=arn)["datasetExportJob"]
    path = job["jobOutput"]["s3DataDestination"]["path"]
    assert path == f"s3://data/export/films/interactions/{job['jobName']}/"


def test_what_is_older_than_its_age_is_made_anew(world: World, build: Builder) -> None:
    wanted = replace(exported(build.imported(build.group())), max_age=86_400)
    first = world.follow(wanted)
    build.wait(80_000)
    assert world.follow(wanted, run=f"{RUN[:-1]}3").did == "kept"
    build.wait(20_000)
    again = world.follow(wanted, run=f"{RUN[:-1]}4")
    assert again.did == "created"
    assert again.arn != first.arn


def test_data_that_was_uploaded_in_parts_is_imported_though_it_is_dated_before_the_last_import(
    world: World, build: Builder
) -> None:
    wanted = imported(build.dataset(build.group()))
    world.emulated.objects.objects[wanted_location(wanted)] = interactions()
    begun = world.emulated.clock()

    def follow(run: str, *versions: str) -> str | None:
        world.bucket.versions = frozenset(versions)
        return world.follow(wanted, run=run).did

    world.bucket.modified = begun
    build.wait(600)
    assert follow("one", "a", "b") == "created"
    assert follow("two", "a", "b") == "kept"
    assert follow("three", "a", "c") == "created", "c was begun before the first import"
    assert follow("four", "a") == "kept", "what is gone brings nothing to import"
    assert world.bucket.modified == begun


@dataclass(frozen=True)
class Through:
    """A client that asks another, but for what a kind of it does itself."""

    client: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@dataclass(frozen=True)
class Refusing:
    """A client that refuses one operation while it is told to."""

    client: Any
    operation: str
    code: list[str]

    def __getattr__(self, name: str) -> Any:
        if name != self.operation or not self.code:
            return getattr(self.client, name)

        def refuse(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": self.code.pop(), "Message": "no"}}, name)

        return refuse


class Forgetful(Ledger):
    """A table that cannot be written to, when objects are to be noted."""

    def see(self, group: str, job: str, objects: frozenset[str], now: datetime) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")


def test_nothing_is_imported_whose_objects_could_not_be_noted(world: World, build: Builder) -> None:
    wanted = imported(build.dataset(build.group()))
    world.emulated.objects.objects[wanted_location(wanted)] = interactions()
    world.bucket.modified, world.bucket.versions = world.emulated.clock(), frozenset("a")
    world.ensure = replace(world.ensure, ledger=Forgetful())  # type: ignore[arg-type]
    with pytest.raises(ClientError):
        world.step(wanted)
    assert world.emulated.client.list_dataset_import_jobs()["datasetImportJobs"] == []


@pytest.mark.parametrize("how", ["refused for a while", "failed"])
def test_data_dated_before_the_last_import_is_imported_though_that_took_several_tries(
    world: World, build: Builder, how: str
) -> None:
    wanted = imported(build.dataset(build.group()))
    objects, location = world.emulated.objects.objects, wanted_location(wanted)
    objects[location] = interactions()
    world.bucket.modified = world.emulated.clock()
    world.bucket.versions = frozenset("a")
    build.wait(600)
    assert world.follow(wanted, run="one").did == "created"
    world.bucket.versions = frozenset("b")
    if how == "failed":
        objects[location] = "".join(f"{line}\n" for line in interactions().splitlines()[:3])
        failed = world.follow(wanted, run="two").failed
        assert failed
        assert failed.error == "ResourceFailed"
        objects[location] = interactions()
    else:
        client = world.emulated.client
        refusing = Refusing(client, "create_dataset_import_job", ["LimitExceededException"])
        world.ensure = replace(world.ensure, personalize=Personalize(refusing))
    assert world.follow(wanted, run="three").did == "created"


def test_what_was_made_during_an_import_is_made_anew_after_it(world: World, build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    wanted = replace(exported(dataset), after=(dataset,))
    build.begin_import(dataset, name="by-hand")
    build.wait(10)
    assert world.step(wanted).did == "created"
    build.wait(2_000)
    assert world.follow(wanted, run="later").did == "created"
    assert world.follow(wanted, run="last").did == "kept"


def test_a_metric_that_the_service_says_exists_fails_in_its_words(
    world: World, build: Builder
) -> None:
    group = build.group()
    build.imported(group)
    assert world.follow(attribution(group, a=COUNT)).did == "created"
    code = ["ResourceAlreadyExistsException"] * 9
    refusing = Refusing(world.emulated.client, "update_metric_attribution", code)
    world.ensure = replace(world.ensure, personalize=Personalize(refusing))
    failed = world.follow(attribution(group, a=TOTAL)).failed
    assert failed
    assert (failed.error, failed.reason) == ("ResourceAlreadyExistsException", "no")


def wanted_location(desired: Desired) -> str:
    assert desired.data
    return f"s3://{desired.data.bucket}/{desired.data.file}"


def deleted(group: str, dataset: str) -> Desired:
    data = Data.csvs("data", "train/films/deletions", optional=True, nested=True)
    params = {"datasetGroupArn": group, "roleArn": ROLE}
    return Desired(
        "d", "DataDeletionJob", "films", "$.d", params, parent=group, data=data, after=(dataset,)
    )


def after_an_import(group: str, dataset: str) -> tuple[Desired, Desired]:
    return deleted(group, dataset), replace(exported(dataset), after=(dataset,))


@pytest.mark.parametrize("which", [0, 1], ids=["deletion", "export"])
def test_what_follows_imports_is_made_anew_after_each_whatever_its_cause(
    world: World, build: Builder, which: int
) -> None:
    group = build.group()
    dataset = build.imported(group)
    wanted = after_an_import(group, dataset)[which]
    world.emulated.objects.objects["s3://data/train/films/deletions.csv"] = "USER_ID\nu1\n"
    world.bucket.modified = world.emulated.clock()
    build.wait(60)
    assert world.follow(wanted, run="one").did == "created"
    assert world.follow(wanted, run="two").did == "kept"
    build.begin_import(dataset, name="by-hand")
    build.wait(900)
    assert world.follow(wanted, run="three").did == "created"
    assert world.follow(wanted, run="four").did == "kept"


@dataclass(frozen=True)
class Strange(Through):
    """A client that describes a dataset group with a status of its own."""

    status: str

    def describe_dataset_group(self, **given: Any) -> Any:
        found = self.client.describe_dataset_group(**given)
        found["datasetGroup"]["status"] = self.status
        return found


@pytest.mark.parametrize(("status", "most"), [("MOVING", 2 * KNOWN_WITHIN), ("DELETE FAILED", 1)])
def test_a_status_that_nobody_knows_is_watched_for_a_while_and_told(
    world: World, build: Builder, status: str, most: int
) -> None:
    build.group()
    strange = Strange(world.emulated.client, status)
    world.ensure = replace(world.ensure, personalize=Personalize(strange))
    began = world.emulated.clock()
    failed = world.follow(group()).failed
    assert failed
    assert status in failed.reason
    assert (world.emulated.clock() - began).total_seconds() < most
    assert world.calls < 30


def test_nothing_is_imported_or_trained_beside_a_deletion_that_an_earlier_run_left(
    world: World, build: Builder
) -> None:
    """The guide's rule: https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html."""
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group)
    world.emulated.objects.objects["s3://data/train/films/deletions.csv"] = "USER_ID\nu1\n"
    world.bucket.modified = world.emulated.clock()
    assert world.step(deleted(group, dataset), run="stopped").did == "created"
    location = "s3://data/train/films/interactions.csv"
    world.emulated.objects.objects[location] = interactions()
    for wanted in (imported(dataset), version(solution)):
        waits = world.step(wanted, run="later", group_arn=group)
        assert (waits.did, waits.blocked) == (None, waits.wait)
        assert "must not run beside it" in world.ledger.held[wanted.id]
    assert world.follow(imported(dataset), run="later", group_arn=group).did == "created"
    (job,) = build.client.list_data_deletion_jobs(datasetGroupArn=group)["dataDeletionJobs"]
    assert job["status"] == "COMPLETED"


def test_nobody_is_deleted_beside_a_training_or_an_import(world: World, build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    trained = build.client.create_solution_version(solutionArn=build.solution(group))
    world.emulated.objects.objects["s3://data/train/films/deletions.csv"] = "USER_ID\nu1\n"
    world.bucket.modified = world.emulated.clock()
    waits = world.step(deleted(group, dataset), group_arn=group)
    assert waits.did is None
    assert "the SolutionVersion for-you/" in world.ledger.held["d"]
    assert world.follow(deleted(group, dataset), group_arn=group).did == "created"
    arn = trained["solutionVersionArn"]
    found = build.client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
    assert found["status"] == "ACTIVE"


def test_a_deletion_in_another_group_keeps_nobody_waiting(world: World, build: Builder) -> None:
    other, group = build.group("other"), build.group()
    world.emulated.objects.objects["s3://data/train/films/deletions.csv"] = "USER_ID\nu1\n"
    world.bucket.modified = world.emulated.clock()
    assert world.step(deleted(other, build.imported(other)), run="other").did == "created"
    dataset = build.dataset(group, name="own")
    location = "s3://data/train/films/interactions.csv"
    world.emulated.objects.objects[location] = interactions()
    assert world.step(imported(dataset), group_arn=group).did == "created"


def test_what_is_due_after_a_deletion_is_kept_beside_it(world: World, build: Builder) -> None:
    group = build.group()
    wanted = deleted(group, build.imported(group))
    world.emulated.objects.objects["s3://data/train/films/deletions.csv"] = "USER_ID\nu1\n"
    world.bucket.modified = world.emulated.clock()
    due = {"solutions": [{"name": "films", "arn": "arn"}], "recommenders": []}
    assert world.follow(wanted, due=due).did == "created"
    assert world.ledger.rows["d"]["due"] == due
    world.follow(wanted, run="next", due=due)
    assert "due" not in world.ledger.rows["d"]


def test_the_first_import_is_full_whatever_the_config_says(world: World, build: Builder) -> None:
    dataset = build.dataset(build.group())
    location = "s3://data/train/films/interactions.csv"
    world.emulated.objects.objects[location] = interactions()
    wanted = imported(dataset)
    wanted = replace(wanted, params={**wanted.params, "importMode": "INCREMENTAL"})
    modes = []
    for run in ("one", "two"):
        arn = world.follow(wanted, run=run).arn
        job = build.client.describe_dataset_import_job(datasetImportJobArn=arn)
        modes.append(job["datasetImportJob"]["importMode"])
        world.bucket.modified = world.emulated.clock()
    assert modes == ["FULL", "INCREMENTAL"]
    learned = {("import", "created"): 900, ("import", "created INCREMENTAL"): 900}
    assert world.ledger.kept == learned


def test_without_data_that_need_not_be_there_is_nothing_to_do(world: World) -> None:
    data = Data.csvs("data", "train/films/deletions", optional=True)
    parent = f"{PLACE}dataset-group/films"
    outcome = world.follow(
        Desired("d", "DataDeletionJob", "films", "$.d", {}, parent=parent, data=data)
    )
    assert (outcome.did, outcome.failed) == ("skipped", None)
    assert world.heard.events == []


@dataclass(frozen=True)
class Twice:
    """A client whose answer to one operation is lost, so that the SDK asks again, later."""

    client: Any
    operation: str
    clock: Any

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.client, name)
        if name != self.operation:
            return asked

        def ask(**params: Any) -> Any:
            asked(**params)
            self.clock.advance(100)
            return asked(**params)

        return ask


def attribution(group: str, **expressions: str) -> Desired:
    metrics = [
        {"eventType": "buy", "metricName": name, "expression": expression}
        for name, expression in expressions.items()
    ]
    config = {"roleArn": ROLE, "s3DataDestination": {"path": "s3://data/m/"}}
    params = {
        "name": "metrics",
        "datasetGroupArn": group,
        "metrics": metrics,
        "metricsOutputConfig": config,
    }
    return Desired("m", "MetricAttribution", "metrics", "$.m", params, parent=group)


COUNT, TOTAL = "SAMPLECOUNT()", "SUM(Interactions.EVENT_VALUE)"


def test_an_update_whose_answer_was_lost_is_done(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    assert world.follow(attribution(group, a=COUNT, b=COUNT)).did == "created"
    emulated = world.emulated
    asked = Twice(emulated.client, "update_metric_attribution", emulated.clock)
    world.ensure = replace(world.ensure, personalize=Personalize(asked))
    outcome = world.follow(attribution(group, a=COUNT))
    assert (outcome.did, outcome.failed) == ("updated", None)


def test_an_update_that_is_refused_fails(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    assert world.follow(attribution(group, a=COUNT)).did == "created"
    failed = world.follow(attribution(group, a="COUNT()")).failed
    assert failed
    assert failed.error == "InvalidInputException"


def test_a_metric_attribution_is_converged_metric_by_metric(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    assert world.follow(attribution(group, a=COUNT, b=COUNT)).did == "created"
    assert world.follow(attribution(group, b=COUNT, a=COUNT)).did == "kept", "whatever the order"
    assert world.follow(attribution(group, a=TOTAL, c=COUNT)).did == "updated"
    arn = f"{PLACE}metric-attribution/metrics"
    found = build.client.list_metric_attribution_metrics(metricAttributionArn=arn)["metrics"]
    assert {one["metricName"]: one["expression"] for one in found} == {"a": TOTAL, "c": COUNT}
    assert world.follow(attribution(group, a=TOTAL, c=COUNT)).did == "kept"


def test_a_new_model_is_measured_and_a_kept_one_is_not_again(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    world.follow(version(solution))
    assert world.measured.models["films/s"]["coverage"] > 0
    assert world.measured.durations == {"SolutionVersion": 3600}
    world.measured.models.clear()
    world.follow(version(solution), run="20260102T000000-abcdef12")
    assert world.measured.models == {}


def test_the_numbers_of_a_new_version_are_kept(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    arn = world.follow(version(build.solution(group))).arn
    assert arn
    kept = world.ledger.numbers[arn]
    told = build.client.get_solution_metrics(solutionVersionArn=arn)["metrics"]
    assert (kept.metrics, kept.mode, kept.run) == (told, "FULL", RUN)
    described = build.client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
    assert kept.hours == described["trainingHours"]


@dataclass(frozen=True)
class Backwards(Through):
    """A client to which the service tells settings in another order."""

    def describe_solution_version(self, **params: Any) -> Any:
        told = self.client.describe_solution_version(**params)
        config = told["solutionVersion"]["solutionConfig"]
        told["solutionVersion"]["solutionConfig"] = {
            key: dict(reversed(value.items())) for key, value in config.items()
        }
        return told


def test_settings_are_the_same_in_whichever_order_they_are_told(
    world: World, build: Builder
) -> None:
    group = build.group()
    build.imported(group)
    for name, own in (("one", "3"), ("other", "2")):
        told = {"recency_mask": "true", "bptt": own}
        config = {"algorithmHyperParameters": told}
        desired = version(
            build.solution(group, "user-personalization", name=name, solutionConfig=config)
        )
        world.follow(desired)
        there = world.ensure
        world.ensure = replace(there, personalize=Personalize(Backwards(world.emulated.client)))
        world.follow(desired, "again", task=True, anew_since=world.emulated.clock())
        world.ensure = there
    setups = [one.setup for one in world.ledger.numbers.values()]
    assert setups[0] == setups[1] != setups[2] == setups[3]


def test_a_version_of_before_the_records_is_weighed_when_it_is_replaced(
    world: World, build: Builder
) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    old = build.version(solution)
    build.wait(60)
    world.follow(version(solution), task=True, anew_since=world.emulated.clock())
    assert world.ledger.numbers[old].metrics
    assert world.ledger.numbers[old].run is None
    assert len(world.ledger.numbers) == 2


def test_only_versions_that_are_trained_have_numbers(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    world.follow(group())
    world.emulated.service.faults.fail("SolutionVersion", "*", "out of luck")
    assert world.follow(version(build.solution(group_))).failed
    assert world.ledger.numbers == {}


def test_metrics_that_the_service_refuses_fail_no_run(
    world: World, build: Builder, caplog: pytest.LogCaptureFixture
) -> None:
    group = build.group()
    build.imported(group)
    desired = version(build.solution(group))
    world.emulated.service.faults.error("GetSolutionMetrics", "InvalidInputException", "no")
    outcome = world.follow(desired)
    assert outcome.failed is None
    assert outcome.arn
    assert world.ledger.numbers[outcome.arn].metrics == {}
    (line,) = logged(caplog, "no metrics")
    assert (line["arn"], line["error"]) == (outcome.arn, "no")


def test_metrics_that_a_run_may_not_ask_for_are_those_of_a_later_one(
    world: World, build: Builder
) -> None:
    group = build.group()
    build.imported(group)
    desired = version(build.solution(group))
    fault = world.emulated.service.faults
    fault.error("GetSolutionMetrics", "AccessDeniedException", "not authorized")
    arn = world.follow(desired).arn
    assert arn
    kept = world.ledger.numbers[arn]
    assert kept.metrics == {}
    assert world.follow(desired, run="later", task=True).did == "kept"
    assert world.ledger.numbers[arn].metrics
    assert replace(world.ledger.numbers[arn], metrics={}) == kept, "what else is known of it stays"


def test_a_campaign_remembers_what_it_served(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    old = build.version(solution)
    assert world.follow(campaign(old)).served is None
    build.wait(60)
    new = build.version(solution)
    moved = world.follow(campaign(new))
    assert (moved.did, moved.served) == ("updated", old)


def test_a_task_trains_anew_what_is_trained_already(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    first = world.follow(version(solution))
    build.wait(60)
    now = world.emulated.clock()
    again = world.follow(version(solution), run="task-1", task=True, anew_since=now)
    assert again.did == "created"
    assert again.arn != first.arn


def test_a_task_adopts_a_training_that_is_under_way(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    begun = build.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    build.wait(600)
    now = world.emulated.clock()
    outcome = world.follow(version(solution), task=True, anew_since=now)
    assert (outcome.did, outcome.arn) == ("adopted", begun)


def test_a_task_does_not_create_what_somebody_deleted(world: World) -> None:
    outcome = world.follow(group(), task=True)
    assert outcome.failed
    assert outcome.failed.error == "ResourceMissing"
    assert build_nothing(world)


def build_nothing(world: World) -> bool:
    return world.emulated.client.list_dataset_groups()["datasetGroups"] == []


def test_a_task_whose_parent_is_gone_is_missing_it(world: World, build: Builder) -> None:
    outcome = world.follow(imported(f"{PLACE}dataset/films/INTERACTIONS"), task=True)
    assert outcome.failed
    assert outcome.failed.error == "ResourceMissing"


def test_a_recommender_is_stopped_and_started_again(
    world: World, build: Builder, shop: str
) -> None:
    arn = create(build, shop)
    params = {"name": arn.rsplit("/", 1)[-1]}
    for status, did in (("INACTIVE", "stopped"), ("ACTIVE", "started")):
        wanted = Desired("r", "Recommender", "r", "$.r", params, arn=arn, status=status)
        outcome = world.follow(wanted, task=True)
        assert (outcome.did, outcome.status) == (did, status)
        assert world.follow(wanted, task=True).did == "kept"


DAY = 24 * 60 * 60


def recommender(arn: str, status: str | None = None, rate: int = 1) -> Desired:
    params = {"name": "r", "recommenderConfig": {"minRecommendationRequestsPerSecond": rate}}
    return Desired("r", "Recommender", "r", "$.r", params, arn=arn, status=status)


def test_a_stop_takes_as_long_as_it_took_and_not_as_long_as_there_is_a_recommender(
    world: World, build: Builder, shop: str
) -> None:
    arn = create(build, shop)
    world.ledger.kept["r", "created"] = world.ledger.types["Recommender", "created"] = 3600
    build.wait(60 * DAY)
    known = dict(world.ledger.kept)
    first = world.step(recommender(arn, "INACTIVE"), task=True)
    assert first.wait
    assert first.wait <= 10 * 60, "the first look comes long before a creation would be done"
    world.emulated.clock.advance(first.wait)
    stopped = world.step(recommender(arn, "INACTIVE"), first, task=True)
    assert (stopped.did, stopped.seconds) == ("stopped", 60)
    assert world.ledger.kept == {**known, ("r", "stopped"): 60}
    world.follow(recommender(arn, "ACTIVE"), task=True)
    world.calls = 0
    world.follow(recommender(arn, "INACTIVE"), task=True)
    assert world.calls <= 8, "the next stop is known"


def test_a_long_stop_is_looked_at_by_its_own_age(world: World, build: Builder, shop: str) -> None:
    arn = create(build, shop)
    build.wait(60 * DAY)
    world.ledger.kept["r", "stopped"] = 60
    first = world.step(recommender(arn, "INACTIVE"), task=True)
    build.wait(30)
    early = world.step(recommender(arn, "INACTIVE"), first, task=True)
    assert early.status == "STOP IN_PROGRESS"
    assert early.wait
    assert early.wait < 30, "the recommender itself is weeks old"


def test_an_update_without_times_of_its_own_teaches_nothing(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    assert world.follow(attribution(group, a=COUNT)).seconds == 15
    build.wait(60 * DAY)
    outcome = world.follow(attribution(group, a=TOTAL))
    assert (outcome.did, outcome.seconds) == ("updated", None)
    assert world.ledger.kept == {("m", "created"): 15}


def test_an_update_is_known_apart_from_the_creation(world: World, build: Builder) -> None:
    group = build.group()
    build.imported(group)
    live = build.version(build.solution(group))
    assert world.follow(campaign(live)).did == "created"
    world.ledger.kept["campaign", "created"] = 2 * 60 * 60
    first = world.step(campaign(live, tps=2))
    assert first.did == "updated"
    assert first.wait
    assert first.wait < 600
    assert world.follow(campaign(live, tps=2)).did == "adopted"
    assert world.follow(campaign(live, tps=3)).seconds == 600
    assert world.ledger.kept["campaign", "updated"] == 600
    assert world.ledger.kept["campaign", "created"] == 2 * 60 * 60


def test_an_update_training_is_known_apart_from_a_full_one(world: World, build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    desired = version(build.solution(group, recipe="user-personalization"))
    assert world.follow(desired).seconds == 3600
    build.begin_import(dataset, name="more")
    build.wait(900)
    world.ledger.kept["version.s", "created"] = 3 * 60 * 60
    update = replace(desired, params={**desired.params, "trainingMode": "UPDATE"})
    now = world.emulated.clock()
    first = world.step(update, run="task-1", task=True, anew_since=now)
    assert first.did == "created"
    assert first.wait
    assert first.wait < 15 * 60
    build.wait(3600)
    assert world.step(update, first, "task-1", task=True, anew_since=now).seconds == 3600
    assert world.ledger.kept == {
        ("version.s", "created"): 3 * 60 * 60,
        ("version.s", "created UPDATE"): 3600,
    }


def test_an_update_with_nothing_new_keeps_the_model_that_there_is(
    world: World, build: Builder
) -> None:
    group = build.group()
    build.imported(group)
    desired = version(build.solution(group, recipe="user-personalization"))
    first = world.follow(desired)
    update = replace(desired, params={**desired.params, "trainingMode": "UPDATE"})
    build.wait(60)
    again = world.follow(update, run="task-1", task=True, anew_since=world.emulated.clock())
    assert (again.did, again.arn, again.failed) == ("kept", first.arn, None)


@dataclass(frozen=True)
class UpdateFailed(Through):
    """A client to which the service tells of a recommender's update that failed long ago."""

    since: datetime

    def describe_recommender(self, **params: Any) -> Any:
        told = self.client.describe_recommender(**params)["recommender"]
        failed = {
            "status": "CREATE FAILED",
            "failureReason": "no capacity",
            "creationDateTime": self.since,
            "lastUpdatedDateTime": self.since,
        }
        return {"recommender": {"latestRecommenderUpdate": failed, **told}}


def test_an_update_that_failed_before_is_no_failure_of_a_stop_or_a_start(
    world: World, build: Builder, shop: str
) -> None:
    arn = create(build, shop)
    told = UpdateFailed(world.emulated.client, world.emulated.clock())
    world.ensure = replace(world.ensure, personalize=Personalize(told))
    build.wait(DAY)
    for status, did in (("INACTIVE", "stopped"), ("ACTIVE", "started")):
        outcome = world.follow(recommender(arn, status), task=True)
        assert (outcome.did, outcome.failed, outcome.seconds) == (did, None, 60)


@dataclass(frozen=True)
class Deaf(Through):
    """A client to whom the service says yes to a stop, and goes on as before."""

    def stop_recommender(self, **params: Any) -> Any:
        return params


def test_a_stop_without_effect_is_told_and_not_asked_for_again(
    world: World, build: Builder, shop: str
) -> None:
    wanted = recommender(create(build, shop), "INACTIVE")
    world.ensure = replace(world.ensure, personalize=Personalize(Deaf(world.emulated.client)))
    failed = world.step(wanted, world.step(wanted, task=True), task=True).failed
    assert failed
    assert failed.reason == "it is ACTIVE and not INACTIVE."


def test_a_start_brings_what_changed_while_it_was_stopped(
    world: World, build: Builder, shop: str
) -> None:
    arn = create(build, shop)
    assert world.follow(recommender(arn, "INACTIVE"), task=True).did == "stopped"
    assert world.follow(recommender(arn, rate=2)).did == "kept", "it is stopped on purpose"
    outcome = world.follow(recommender(arn, "ACTIVE", rate=2), task=True)
    assert (outcome.did, outcome.failed) == ("updated", None)
    told = build.client.describe_recommender(recommenderArn=arn)["recommender"]
    assert told["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 2}


def test_an_import_into_a_former_dataset_of_the_same_name_does_not_count(
    world: World, build: Builder
) -> None:
    group = build.group()
    dataset = build.dataset(group)
    world.emulated.objects.objects[f"{BUCKET}/interactions.csv"] = interactions()
    assert world.follow(imported(dataset)).did == "created"
    client = world.emulated.client
    client.delete_dataset(datasetArn=dataset)
    build.wait(3600)
    jobs = client.list_dataset_import_jobs(datasetArn=dataset)["datasetImportJobs"]
    assert len(jobs) == 1, "jobs are history that no operation deletes"
    schema_arn = client.list_schemas()["schemas"][0]["schemaArn"]
    again = client.create_dataset(
        name="d", datasetGroupArn=group, datasetType="Interactions", schemaArn=schema_arn
    )["datasetArn"]
    assert again == dataset
    build.wait(60)
    assert world.follow(imported(dataset), "run-2").did == "created"
