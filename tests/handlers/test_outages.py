"""What an outage of any service does to a step: nothing that is not told, and nothing lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from mpe import handlers
from mpe.aws.events import RUN_CHANGED, Events, EventsError
from mpe.aws.outages import THROTTLES, outages_pass, passes
from mpe.handlers.ensure import Ensure
from mpe.model.errors import Unavailable
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.owner import marked
from tests.emulator.conftest import Builder, avro
from tests.emulator.conftest import build as build
from tests.handlers.test_ensure import (
    REFUSALS,
    RUN,
    Ledger,
    World,
    campaign,
    group,
    logged,
    schema,
    version,
)
from tests.handlers.test_ensure import world as world
from tests.handlers.test_runs import Account
from tests.handlers.test_runs import account as account

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def answered(status: int, code: str = "") -> ClientError:
    error = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, "Any")  # type: ignore[arg-type]


def broken() -> Exception:
    return answered(503, "ServiceUnavailable")


@dataclass
class Deaf:
    """A bus that takes nothing for so many events."""

    deaf: int
    error: Callable[[], Exception] = broken
    events: list[tuple[str, str]] = field(default_factory=list)

    def resource_changed(self, noun: str, arn: str, status: str, duration: float | None) -> None:
        self.deaf -= 1
        if self.deaf >= 0:
            raise self.error()
        self.events.append((noun, status))

    def put(self, kind: str, detail: Any) -> None:
        raise self.error()


@dataclass
class Down(Ledger):
    """A ledger that cannot be read, or not be written either."""

    written: bool = False
    error: Callable[[], Exception] = broken

    def durations(self, group: str, resource: str, kind: str) -> tuple[float, ...]:
        raise self.error()

    def record(self, *args: Any) -> None:
        if not self.written:
            raise broken()
        super().record(*args)


def with_(world: World, **adapters: Any) -> None:
    world.ensure = replace(world.ensure, **adapters)
    assert isinstance(world.ensure, Ensure)


@pytest.mark.parametrize(
    "error",
    [
        broken,
        lambda: answered(400, "AccessDeniedException"),
        lambda: EventsError("not a bus"),
        lambda: EndpointConnectionError(endpoint_url="https://events"),
    ],
)
def test_an_event_that_the_bus_does_not_take_fails_no_resource_and_is_told_later(
    world: World, error: Callable[[], Exception]
) -> None:
    bus = Deaf(1, error)
    with_(world, events=bus)
    assert world.follow(group()).failed is None
    assert bus.events[-1] == ("DatasetGroup", "ACTIVE")
    assert ("DatasetGroup", "CREATE PENDING") not in bus.events


def test_a_status_that_no_look_comes_after_is_left_for_the_runs_last_step(world: World) -> None:
    with_(world, events=Deaf(1))
    outcome = world.step(schema(avro("Users")))
    assert (outcome.failed, outcome.untold) == (None, True)
    assert world.ledger.rows["schema"]["untold"] is True


def test_a_status_that_was_not_told_is_no_news_once_others_group_is_marked(world: World) -> None:
    world.emulated.client.create_dataset_group(name="films")
    with_(world, events=Deaf(1000))
    ours = group(tags=marked((), "Films"))
    begun = world.step(ours)
    assert (begun.did, begun.untold) == ("adopted", True)
    world.emulated.clock.advance(3600)
    outcome = world.step(ours, begun)
    assert (outcome.did, outcome.untold) == ("marked", None)


def test_the_runs_last_step_tells_what_the_bus_did_not_take(account: Account) -> None:
    run = {"id": "run-1", "group": "films", "config": {"key": "train/films/config.json"}}
    told = Outcome("schema", "Schema", "s", "$.s", "ACTIVE", "arn:s", "created", untold=True)
    kept = Outcome("other", "Schema", "o", "$.o", "ACTIVE", "arn:o", "created")
    for one in (told, kept):
        account.ledger.record("films", "run-1", one.as_dict(), BEGAN)
    account.finish(run)
    assert account.events.changes == [("Schema", "arn:s", "ACTIVE")]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda one: type(one).__name__)
def test_what_the_bus_refuses_for_good_keeps_no_run_from_its_end_and_is_in_the_log(
    error: Exception, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    run = {"id": "run-1", "group": "films", "config": {"key": "train/films/config.json"}}
    told = Outcome("schema", "Schema", "s", "$.s", "ACTIVE", "arn:s", "created", untold=True)
    account.ledger.record("films", "run-1", told.as_dict(), BEGAN)
    account.events.refuses = error
    account.finish(run)
    ((kind, detail),) = account.events.put_
    assert (kind, detail["Status"], account.events.changes) == (RUN_CHANGED, "SUCCEEDED", [])
    (line,) = logged(caplog, "not told")
    assert (line["event"], line["error"]) == ("arn:s", str(error))


def test_an_answer_of_http_200_that_took_nothing_is_an_outage_or_an_error() -> None:
    """Which, the SDK's own model of the service says of each code."""

    class Client:
        code = ""

        def put_events(self, Entries: Any) -> Any:
            entry = {"ErrorCode": self.code, "ErrorMessage": "no"}
            return {"FailedEntryCount": 1, "Entries": [entry]}

    client, told = Client(), documented("events", "PutEventsResultEntry", "ErrorCode")
    codes = [CODE.findall(words) for words in told.split("Non-retryable")]
    (passing, refused) = codes
    assert {"InternalFailure", "ThrottlingException"} <= set(passing)
    assert {"MalformedDetail", "NotAuthorizedForSourceException"} <= set(refused)
    for client.code in passing:
        with pytest.raises(Unavailable):
            Events(client, "bus").put("Kind", {})
    for client.code in refused:
        with pytest.raises(EventsError):
            Events(client, "bus").put("Kind", {})


CODE = re.compile(r"<code>\s*(?:<a [^>]*>)?(\w+)")
"""A code in the words of botocore's models."""


def documented(service: str, shape: str, member: str) -> str:
    """Return what the SDK's model says of a member of a shape."""
    model = botocore.session.get_session().get_service_model(service)
    return str(model.shape_for(shape).members[member].documentation)


def test_what_passes_is_what_the_sdk_tries_again() -> None:
    codes = {*ThrottledRetryableChecker._THROTTLED_ERROR_CODES}
    assert {*TransientRetryableChecker._TRANSIENT_ERROR_CODES} | codes == THROTTLES
    for status in TransientRetryableChecker._TRANSIENT_STATUS_CODES:
        assert passes(answered(status))
    for kind in TransientRetryableChecker._TRANSIENT_EXCEPTION_CLS:
        assert issubclass(ReadTimeoutError, kind) or issubclass(EndpointConnectionError, kind)
    assert passes(ReadTimeoutError(endpoint_url="https://s3"))
    assert all(passes(answered(400, code)) for code in THROTTLES)
    assert not passes(answered(403, "AccessDenied"))
    assert not passes(answered(501, "NotImplemented"))
    assert not passes(KeyError("a mistake of ours"))


def test_a_handler_raises_an_outage_by_the_name_that_the_workflow_waits_for() -> None:
    @outages_pass()
    def handler(error: Exception) -> None:
        raise error

    with pytest.raises(Unavailable, match="ServiceUnavailable"):
        handler(broken())
    with pytest.raises(KeyError):
        handler(KeyError("a mistake of ours"))


class Away(dict[str, Any]):
    """An event at whose reading the service behind it does not answer."""

    def __getitem__(self, key: str) -> Any:
        raise EndpointConnectionError(endpoint_url="https://s3.amazonaws.com")


BY_EVENTS = {"configure", "notify", "bury", "tend", "profiling", "usage"}
"""Handlers that no workflow calls: Lambda itself tries these again."""


def test_every_handler_that_a_workflow_calls_raises_an_outage_as_one() -> None:
    found = {one.name for one in iter_modules(handlers.__path__)} - BY_EVENTS
    called = [import_module(f"mpe.handlers.{name}") for name in sorted(found)]
    tried = [one.handler for one in called if hasattr(one, "handler")]
    assert len(tried) == 8
    for handler in tried:
        with pytest.raises(Unavailable):
            handler(Away(), None)


def test_a_creation_is_answered_though_nobody_can_say_how_long_it_takes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with_(world, ledger=Down())
    outcome = world.step(group())
    assert (outcome.did, outcome.status) == ("created", "CREATE PENDING")
    assert outcome.wait
    (line,) = logged(caplog, "no duration")
    assert (line["arn"], "ServiceUnavailable" in line["error"]) == (outcome.arn, True)


def test_a_ledger_that_refuses_durations_for_good_is_an_error(world: World) -> None:
    with_(world, ledger=Down(error=lambda: answered(400, "AccessDeniedException")))
    with pytest.raises(ClientError):
        world.step(group())


@pytest.fixture
def in_turn(world: World) -> World:
    """A run that has just taken its turn, whose name and whose row say so."""
    world.turns.began_ = world.emulated.clock()
    return world


def run_of(world: World) -> str:
    return f"{world.emulated.clock():%Y%m%dT%H%M%S}-abcdef12"


def test_what_a_run_created_is_told_as_created_where_its_answer_was_lost(in_turn: World) -> None:
    world, run = in_turn, run_of(in_turn)
    world.step(group(), run=run)
    world.heard.events.clear()
    outcome = world.follow(group(), run)
    assert (outcome.did, outcome.seconds) == ("created", 30)
    assert world.measured.durations == {"DatasetGroup": 30}
    assert ("DatasetGroup", "ACTIVE") in world.heard.events


def test_a_version_whose_answer_was_lost_is_told_and_measured(world: World, build: Builder) -> None:
    group_ = build.group()
    build.imported(group_)
    desired = version(build.solution(group_))
    world.step(desired)
    outcome = world.follow(desired)
    assert outcome.did == "created"
    assert outcome.seconds
    assert world.measured.models


def test_what_is_ready_at_once_is_told_as_created_where_it_was_not_recorded(
    in_turn: World,
) -> None:
    world, run = in_turn, run_of(in_turn)
    with_(world, ledger=Down())
    with pytest.raises(ClientError):
        world.step(schema(avro("Users")), run=run)
    with_(world, ledger=world.ledger)
    assert world.step(schema(avro("Users")), run=run).did == "created"
    assert world.ledger.kept == {}, "there is nothing to wait for, nor a permission to read it"


@pytest.mark.parametrize("task", [False, True], ids=["by-an-upload", "by-a-task"])
def test_an_update_whose_answer_was_lost_is_told_as_updated(
    in_turn: World, build: Builder, task: bool
) -> None:
    world = in_turn
    group_ = build.group()
    build.imported(group_)
    live = campaign(build.version(build.solution(group_)))
    world.follow(live)
    build.wait(60)
    run, world.turns.began_ = run_of(world), world.emulated.clock()
    more = replace(live, params={**live.params, "minProvisionedTPS": 5})
    world.step(more, run=run, task=task)
    assert world.follow(more, run, task=task).did == "updated"


def test_what_was_there_before_the_run_had_its_turn_is_not_its_own(in_turn: World) -> None:
    world = in_turn
    run = run_of(world)
    world.emulated.client.create_dataset_group(name="films")
    world.emulated.clock.advance(20)
    world.turns.began_ = world.emulated.clock()
    assert world.follow(group(), run).did == "adopted"


def test_what_a_task_finds_is_not_its_own_but_for_its_jobs(in_turn: World) -> None:
    world, run = in_turn, run_of(in_turn)
    world.emulated.client.create_dataset_group(name="films")
    assert world.follow(group(), run, task=True).did == "adopted"


def test_a_row_tells_when_a_run_took_its_turn(account: Account) -> None:
    assert account.turns.began("films", RUN) is None
    account.turns.record("films", RUN, {"started": (BEGAN + timedelta(1)).isoformat()})
    assert account.turns.began("films", RUN) == BEGAN + timedelta(1)
