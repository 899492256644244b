"""Runs: started once per upload, one at a time per dataset group, told when they end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mpe.aws.clock import Clock
from mpe.aws.events import CONFIG_REJECTED, RUN_CHANGED
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Pointer
from mpe.aws.tasks import Tasks
from mpe.aws.turns import ACTS, LEASE, LOST, Claim, Turns
from mpe.handlers.begin import Begin
from mpe.handlers.configure import Configure, Upload
from mpe.handlers.finish import Finish
from mpe.handlers.training import LET_IN, UNJUDGED
from mpe.model.gate.smoke import TOLD as SMOKE
from mpe.model.gate.versions import Version
from mpe.model.messages import message_for
from mpe.model.plan.desired import Place
from mpe.model.plan.removals import PATH as REMOVED
from mpe.model.service.limits import PROBLEMS_LIMIT
from tests import clients
from tests.conftest import config
from tests.handlers.measured import Measured
from tests.handlers.memory import Table

STACK = "Films"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BUCKET = "data"
PLACE = Place("us-east-1", "000000000000", BUCKET, "arn:aws:iam::000000000000:role/service")


@dataclass
class Executions:
    """Step Functions in memory."""

    started: dict[str, Any] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    ended_: dict[str, datetime] = field(default_factory=dict)

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        assert len(name) <= 80
        new = name not in self.started
        self.started.setdefault(name, given)
        return new

    def running(self, execution: str) -> bool:
        return execution in self.alive

    def ended(self, execution: str) -> datetime | None:
        return self.ended_.get(execution)


@dataclass
class Events:
    """The bus in memory."""

    put_: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    refuses: Exception | None = None
    """What it answers to what became of resources."""

    def resource_changed(self, noun: str, arn: str, status: str, duration: float | None) -> None:
        if self.refuses:
            raise self.refuses
        self.changes.append((noun, arn, status))

    def put(self, kind: str, detail: Mapping[str, Any]) -> None:
        self.put_.append((kind, json.loads(json.dumps(detail))))


@dataclass(frozen=True)
class Fixed(Clock):
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Account:
    """S3 and DynamoDB as moto has them, with the rest in memory."""

    s3: Any
    turns: Turns
    ledger: Ledger
    tasks: Tasks
    measured: Measured = field(default_factory=Measured)
    executions: Executions = field(default_factory=Executions)
    events: Events = field(default_factory=Events)

    def upload(
        self,
        body: str,
        sequencer: str = "01",
        key: str = "train/movielens/config.json",
    ) -> dict[str, Any]:
        version = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())["VersionId"]
        return self.deliver(version, sequencer, key)

    def deliver(
        self,
        version: str,
        sequencer: str = "01",
        key: str = "train/movielens/config.json",
        time: datetime = NOW,
    ) -> dict[str, Any]:
        configure = Configure(
            Objects(self.s3),
            self.turns,
            self.executions,
            self.events,
            self.measured,
            PLACE,
            "machine",  # type: ignore[arg-type]
            STACK,
        )
        return configure(Upload(BUCKET, key, version, sequencer, time))

    def begin(
        self,
        claim: Claim,
        now: datetime = NOW,
        task: str | None = None,
        config: str | None = None,
        since: datetime | None = None,
    ) -> dict[str, Any]:
        pointer = self.state_of(config or claim.run)
        return Begin(
            Objects(self.s3),
            self.turns,
            self.tasks,
            self.executions,
            Fixed(moment=now),  # type: ignore[arg-type]
        )(claim, pointer, task, since)

    def state_of(self, run: str) -> Pointer:
        return Pointer(BUCKET, f"state/movielens/{run}.json")

    def finish(self, run: Mapping[str, Any], crashes: Any = ()) -> dict[str, Any]:
        clock = Fixed(moment=NOW + timedelta(seconds=90))
        return self.finishing(clock)(run, "execution-1", crashes)

    def finishing(self, clock: Clock) -> Finish:
        return Finish(self.turns, self.ledger, self.events, self.measured, clock, STACK)


def table(name: str) -> Any:
    return clients.tables().create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "group", "KeyType": "HASH"},
            {"AttributeName": "record", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": one, "AttributeType": "S"} for one in ("group", "record")
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with an_account() as made:
        yield made


@contextmanager
def an_account() -> Iterator[Account]:
    """Have an account, with tables and a bucket."""
    with mock_aws():
        s3 = clients.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Account(s3, Turns(table("turns")), Ledger(table("ledger")), Tasks(table("tasks")))


GOOD = json.dumps(config())


def test_a_good_config_starts_a_run_that_carries_pointers_only(account: Account) -> None:
    answer = account.upload(GOOD)
    ((name, given),) = account.executions.started.items()
    assert name == f"movielens-{answer['started']}"
    run = given["run"]
    assert run["group"] == "movielens"
    assert len(json.dumps(given)) < 1000
    state = json.loads(account.s3.get_object(Bucket=BUCKET, Key=run["state"]["key"])["Body"].read())
    assert "campaign.movielens-for-you.movielens-for-you" in state["resources"]


def test_the_same_event_twice_is_one_run(account: Account) -> None:
    started = account.upload(GOOD)["started"]
    version = account.s3.head_object(Bucket=BUCKET, Key="train/movielens/config.json")["VersionId"]
    assert account.deliver(version) == {"ignored": started}
    assert len(account.executions.started) == 1


def test_one_version_that_is_told_again_a_second_later_is_one_run(account: Account) -> None:
    account.upload(GOOD)
    version = account.s3.head_object(Bucket=BUCKET, Key="train/movielens/config.json")["VersionId"]
    assert "ignored" in account.deliver(version, time=NOW + timedelta(seconds=1))
    assert len(account.executions.started) == 1


class Refusing(Executions):
    """Step Functions while it starts nothing."""

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "StartExecution")


def test_a_config_whose_start_fails_does_not_end_the_run_of_an_older_one(account: Account) -> None:
    older = account.upload(GOOD, "01")["started"]
    steps, account.executions = account.executions, Refusing()
    with pytest.raises(ClientError):
        account.upload(GOOD, "02")
    account.executions = steps
    assert "work" in account.begin(Claim("movielens", older, "execution-1", "01"))


class Unannounced(Turns):
    """A table that is away for a moment, when a config is announced in it."""

    def announce(
        self, group: str, run: str, sequencer: str, key: str = "", instead_of: str = ""
    ) -> bool:
        raise ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")


def test_a_config_that_was_started_and_not_announced_announces_itself(account: Account) -> None:
    older = account.upload(GOOD, "01")["started"]
    turns, account.turns = account.turns, Unannounced(account.turns._table)
    with pytest.raises(ClientError):
        account.upload(GOOD, "02")
    account.turns = turns
    (newer,) = (name for name in account.executions.started if older not in name)
    run = newer.removeprefix("movielens-")
    key = "train/elsewhere/config.json"
    assert "work" in account.begin(Claim("movielens", run, "execution-2", "02", key))
    assert account.turns.key("movielens") == key
    assert account.begin(Claim("movielens", older, "execution-1", "01")) == {"superseded": True}


def test_the_same_config_uploaded_again_is_another_run(account: Account) -> None:
    assert "started" in account.upload(GOOD, "01")
    assert "started" in account.upload(GOOD, "02")
    assert len(account.executions.started) == 2


def test_an_older_upload_that_comes_late_is_ignored(account: Account) -> None:
    account.upload(GOOD, "02")
    assert "ignored" in account.upload(GOOD, "01")
    assert len(account.executions.started) == 1


def test_the_version_that_was_uploaded_is_read_and_not_a_newer_one(account: Account) -> None:
    key = "train/movielens/config.json"
    version = account.s3.put_object(Bucket=BUCKET, Key=key, Body=GOOD.encode())["VersionId"]
    account.s3.put_object(Bucket=BUCKET, Key=key, Body=b"nonsense")
    assert "started" in account.deliver(version)


def test_a_config_that_is_gone_is_ignored(account: Account) -> None:
    assert "ignored" in account.deliver("", key="train/movielens/gone.json")


def test_a_config_with_problems_starts_nothing_and_one_event_has_them_all(
    account: Account,
) -> None:
    document = config()
    document["eventTraker"] = {}
    document["solutions"][0]["serviceConfig"]["recipeArn"] = "x"
    assert account.upload(json.dumps(document))["rejected"] == 3
    assert account.executions.started == {}
    ((kind, detail),) = account.events.put_
    assert kind == CONFIG_REJECTED
    assert detail["Total"] == 3
    assert {one["path"] for one in detail["Problems"]} == {
        "$.eventTraker",
        "$.solutions[0].serviceConfig.recipeArn",
    }
    assert account.measured.problems == [3]
    (row,) = account.turns.rejected()
    assert (row["group"], row["key"], row["total"]) == ("movielens", detail["Key"], 3)
    assert (row["at"], row["version"]) == (NOW.isoformat(), detail["VersionId"])


def test_the_longest_names_still_make_an_execution_name(account: Account) -> None:
    document = config()
    name = "x" * 63
    document["datasetGroup"]["serviceConfig"]["name"] = name
    assert "started" in account.upload(json.dumps(document), key=f"train/{name}/config.json")


def claims(account: Account) -> tuple[Claim, Claim]:
    """Upload twice, and return what both runs ask for their turn with."""
    runs = [account.upload(GOOD, sequencer)["started"] for sequencer in ("01", "02")]
    return (
        Claim("movielens", runs[0], "execution-1", "01"),
        Claim("movielens", runs[1], "execution-2", "02"),
    )


def test_a_run_that_was_overtaken_by_a_newer_config_ends(account: Account) -> None:
    older, newer = claims(account)
    assert account.begin(older) == {"superseded": True}
    assert "work" in account.begin(newer)


def test_a_run_that_waited_and_was_overtaken_keeps_nobody_waiting(account: Account) -> None:
    account.turns.take(Claim("movielens", "busy", "execution-0", "00"), NOW)
    account.executions.alive.add("execution-0")
    older = Claim("movielens", account.upload(GOOD, "01")["started"], "execution-1", "01")
    assert "wait" in account.begin(older, since=NOW)
    newer = Claim("movielens", account.upload(GOOD, "02")["started"], "execution-2", "02")
    assert account.begin(older, since=NOW) == {"superseded": True}
    account.turns.give_back("movielens", "execution-0")
    assert "work" in account.begin(newer, since=NOW + timedelta(seconds=1))


def test_a_run_waits_for_the_one_before_it(account: Account) -> None:
    run = account.upload(GOOD, "01")["started"]
    first = Claim("movielens", run, "execution-1", "01")
    account.executions.alive.add("execution-1")
    assert "work" in account.begin(first)
    run = account.upload(GOOD, "02")["started"]
    second = Claim("movielens", run, "execution-2", "02")
    assert account.begin(second) == {"wait": 30}
    account.turns.give_back("movielens", "execution-1")
    assert "work" in account.begin(second)


def test_a_run_that_waited_and_had_its_turn_keeps_nobody_waiting(account: Account) -> None:
    account.turns.take(Claim("movielens", "busy", "execution-0", "00"), NOW)
    account.executions.alive.add("execution-0")
    waited = Claim("movielens", account.upload(GOOD, "01")["started"], "execution-1", "01")
    assert "wait" in account.begin(waited, since=NOW)
    account.turns.give_back("movielens", "execution-0")
    assert "work" in account.begin(waited, since=NOW)
    account.turns.give_back("movielens", "execution-1")
    newer = Claim("movielens", account.upload(GOOD, "02")["started"], "execution-2", "02")
    assert "work" in account.begin(newer, since=NOW + timedelta(seconds=1))


def test_a_run_starts_when_it_has_its_turn_and_not_when_it_asked(account: Account) -> None:
    run = account.upload(GOOD)["started"]
    ended = NOW + timedelta(milliseconds=20)

    class Late(Turns):
        """The turn of the run before, which ends while this one asks."""

        def take_turn(self, *args: Any, **rest: Any) -> str | None:
            clock.moment = ended
            return super().take_turn(*args, **rest)

    clock = Moving()
    late = Late(account.turns._table)
    begin = Begin(Objects(account.s3), late, account.tasks, account.executions, clock)  # type: ignore[arg-type]
    assert "work" in begin(Claim("movielens", run, "execution-1", "01"), account.state_of(run))
    assert account.turns.began("movielens", run) == ended
    row = account.turns.recorded("movielens", run)
    assert row is not None
    assert (row["status"], row["execution"], "task" in row) == ("RUNNING", "execution-1", False)


class Moving(Clock):
    """A clock that somebody sets."""

    moment = NOW

    def now(self) -> datetime:
        return self.moment


def test_a_run_that_waits_for_two_days_keeps_its_history_short(account: Account) -> None:
    account.turns = Turns(Table())
    account.turns.take(Claim("movielens", "long", "long", "00"), NOW)
    account.executions.alive.add("long")
    _, newer = claims(account)
    now, waits = NOW, list[int]()
    while now < NOW + timedelta(days=2):
        waits.append(account.begin(newer, now, since=NOW)["wait"])
        now += timedelta(seconds=waits[-1])
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (30, 120)
    assert len(waits) * EVENTS_OF_AN_ASK < 25_000 * 2 / 3, "what is left is for the work"


@pytest.mark.parametrize(
    ("waited", "wait"), [(0, 30), (600, 30), (1200, 60), (2400, 120), (86_400, 120)]
)
def test_a_run_asks_for_its_turn_the_more_rarely_the_longer_it_has_waited(
    account: Account, waited: int, wait: int
) -> None:
    account.turns.take(Claim("movielens", "long", "long", "00"), NOW)
    account.executions.alive.add("long")
    _, newer = claims(account)
    asked = account.begin(newer, NOW + timedelta(seconds=waited), since=NOW)
    assert asked == {"wait": wait}


EVENTS_OF_AN_ASK = 9
"""A task is entered, scheduled, started, done and left, a choice and a wait entered and left."""


def test_asking_again_is_answered_the_same(account: Account) -> None:
    _, newer = claims(account)
    assert account.begin(newer) == account.begin(newer)


def test_a_run_that_could_not_begin_has_a_whole_row_as_well(account: Account) -> None:
    run = {"id": "r", "group": "movielens", "task": "import", "config": {"key": "k"}}
    account.finish(run, [{"failed": True, "error": "E", "cause": "C", "resource": "Take turn"}])
    row = account.turns.recorded("movielens", "r")
    assert row is not None
    assert (row["status"], row["execution"], row["task"]) == ("FAILED", "execution-1", "import")
    assert row["started"] <= row["ended"]


def test_a_dead_run_is_noted_as_lost_and_may_still_be_told(account: Account) -> None:
    _, newer = claims(account)
    dead = Claim("movielens", "dead", "execution-0", "00")
    account.turns.take(dead, NOW)
    account.turns.record("movielens", "dead", {"status": "RUNNING", "execution": "execution-0"})
    assert "work" in account.begin(newer)
    assert account.turns.recorded("movielens", "dead")["status"] == LOST  # type: ignore[index]

    run = {"id": "dead", "group": "movielens", "config": {"key": "train/movielens/config.json"}}
    crash = {"error": "ABORTED", "cause": "stopped", "resource": "the workflow"}
    account.finishing(Fixed())(run, "execution-0", [crash], killed=True)
    ((_, detail),) = account.events.put_
    assert detail["Status"] == "FAILED"
    assert account.turns.recorded("movielens", "dead")["status"] == "FAILED"  # type: ignore[index]
    assert account.turns.take(dead, NOW) == newer.execution, "the turn is the newer run's"


def test_the_turn_of_a_stopped_run_is_free_once_its_functions_cannot_act(account: Account) -> None:
    _, newer = claims(account)
    account.turns.take(Claim("movielens", "stopped", "execution-0", "00"), NOW)
    account.executions.ended_["execution-0"] = NOW
    assert account.begin(newer, NOW + ACTS / 2) == {"wait": 30}
    assert not account.turns.holds("movielens", newer.run)
    assert "work" in account.begin(newer, NOW + ACTS)
    assert account.turns.holds("movielens", newer.run)


def test_a_killed_run_that_was_told_keeps_its_turn_while_its_functions_may_act(
    account: Account,
) -> None:
    _, newer = claims(account)
    account.turns.take(Claim("movielens", "run", "execution-0", "00"), NOW)
    crash = {"error": "ABORTED", "cause": "stopped", "resource": "the workflow"}
    account.finishing(Fixed())(RUN, "execution-0", [crash], killed=True)
    assert account.turns.take(newer, NOW + ACTS / 2) == "execution-0"
    assert account.turns.take(newer, NOW + ACTS * 1.1) is None


def test_the_turn_of_a_machine_that_the_stack_had_before_is_taken_over(account: Account) -> None:
    """Nobody is allowed to ask after it, and it would block its group for days."""
    _, newer = claims(account)
    held, asks = (f"arn:aws:states:us-east-1:0:execution:{one}:run" for one in ("Old", "New"))
    account.turns.take(Claim("movielens", "former", held, "00"), NOW)
    account.executions.alive.add(held)
    assert "work" in account.begin(replace(newer, execution=asks))


def test_the_turn_of_a_dead_run_is_taken_over(account: Account) -> None:
    account.turns.take(Claim("movielens", "dead", "dead", "00"), NOW)
    _, newer = claims(account)
    assert "work" in account.begin(newer)


def test_a_lease_ends_by_itself(account: Account) -> None:
    account.turns.take(Claim("movielens", "stuck", "stuck", "00"), NOW)
    account.executions.alive.add("stuck")
    _, newer = claims(account)
    assert account.begin(newer) == {"wait": 30}
    assert "work" in account.begin(newer, NOW + LEASE + timedelta(seconds=1))


def test_a_turn_is_given_back_only_by_its_holder(account: Account) -> None:
    claim = Claim("movielens", "one", "execution-1", "01")
    account.turns.take(claim, NOW)
    account.turns.give_back("movielens", "execution-2")
    other = Claim("movielens", "two", "execution-2", "02")
    assert account.turns.take(other, NOW) == "execution-1"


RUN = {
    "id": "run",
    "group": "movielens",
    "config": {"key": "train/movielens/config.json"},
    "notes": ["$.x: later."],
}


def stopped(account: Account) -> Claim:
    """Begin a run and let somebody stop it, which is told."""
    begun = Claim("movielens", account.upload(GOOD, "01")["started"], "execution-1", "01")
    account.begin(begun)
    bury(account, begun)
    return begun


def bury(account: Account, run: Claim, *, redriven: int = 0, later: timedelta = ACTS) -> None:
    """Tell of a run that was stopped, some time after it began."""
    clock = Fixed(moment=NOW + later)
    given, crash = {**RUN, "id": run.run}, {"error": "ABORTED", "cause": "stopped", "resource": "x"}
    account.finishing(clock)(given, run.execution, [crash], killed=True, redriven=redriven)


def resumed(account: Account, run: Claim, *, redriven: int = 1, now: datetime = NOW) -> bool:
    return account.turns.resume(run.group, run.run, run.sequencer, now, redriven)


def test_a_run_that_is_redriven_has_its_turn_again(account: Account) -> None:
    run = stopped(account)
    later = NOW + timedelta(days=10)
    assert resumed(account, run, now=later)
    other = Claim("movielens", "other", "execution-2", "02")
    assert account.turns.take(other, later + ACTS) == run.execution
    assert account.turns.holds("movielens", run.run)


def test_a_run_that_is_redriven_while_another_has_its_turn_has_none(account: Account) -> None:
    run = stopped(account)
    later = NOW + 3 * ACTS
    other = Claim("movielens", "other", "execution-2", "01")
    assert account.turns.take(other, later) is None
    assert not resumed(account, run, now=later)
    assert account.turns.holds("movielens", "other")


def test_a_run_that_is_redriven_after_a_newer_config_has_no_turn(account: Account) -> None:
    run = stopped(account)
    account.upload(GOOD, "02")
    assert not resumed(account, run)


def test_a_run_that_was_never_begun_has_no_turn_to_resume(account: Account) -> None:
    assert not resumed(account, Claim("movielens", "none", "execution-1", "01"))


def test_each_end_of_a_run_that_is_redriven_is_told_once(account: Account) -> None:
    run = stopped(account)
    given = {**RUN, "id": run.run}
    finishing = account.finishing(Fixed(moment=NOW + timedelta(hours=1)))
    for redriven in (1, 1, 2):
        resumed(account, run, redriven=redriven)
        finishing(given, run.execution, [], redriven=redriven)
    told = [detail for kind, detail in account.events.put_ if kind == RUN_CHANGED]
    assert [one["Status"] for one in told] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert [any("redrove" in note for note in one["Notes"]) for one in told] == [False, True, True]
    row = account.turns.recorded("movielens", run.run)
    assert row is not None
    assert row["status"] == "SUCCEEDED"
    other = Claim("movielens", "other", "execution-2", "01")
    assert account.turns.take(other, NOW + timedelta(hours=1)) is None, "the turn was given back"


def test_a_run_that_is_redriven_where_it_had_ended_is_told_as_well(account: Account) -> None:
    """Its last step fails again, without any function of its own."""
    run = Claim("movielens", account.upload(GOOD, "01")["started"], "execution-1", "01")
    account.begin(run)
    account.finish({**RUN, "id": run.run}, [{"error": "E", "cause": "C", "resource": "x"}])
    bury(account, run, redriven=0)
    assert len(account.events.put_) == 1, "it had told so itself"
    bury(account, run, redriven=1)
    assert len(account.events.put_) == 2


def test_news_of_a_runs_first_end_that_come_late_leave_it_its_turn(account: Account) -> None:
    run = stopped(account)
    assert resumed(account, run)
    bury(account, run, redriven=0, later=2 * ACTS)
    other = Claim("movielens", "other", "execution-2", "01")
    assert account.turns.take(other, NOW + 10 * ACTS) == run.execution


def test_a_task_that_is_redriven_may_run_in_another_execution_and_is_told(account: Account) -> None:
    run = stopped(account)
    again = replace(run, execution="execution-again")
    assert "work" in account.begin(again, NOW + 3 * ACTS)
    account.finishing(Fixed(moment=NOW + 4 * ACTS))({**RUN, "id": run.run}, again.execution, [])
    told = [detail for kind, detail in account.events.put_ if kind == RUN_CHANGED]
    assert [(one["Status"], one["ExecutionArn"]) for one in told] == [
        ("FAILED", "execution-1"),
        ("SUCCEEDED", "execution-again"),
    ]


def outcome(resource: str, **more: Any) -> dict[str, Any]:
    noun = {"campaign": "Campaign", "group": "DatasetGroup"}.get(resource.split(".")[0], "Schema")
    return {
        "resource": resource,
        "noun": noun,
        "name": resource,
        "path": f"$.{resource}",
        "status": "ACTIVE",
        "did": "created",
        **more,
    }


def test_a_run_ends_with_one_event_of_what_it_did(account: Account) -> None:
    account.turns.take(Claim("movielens", "run", "execution-1", "01"), NOW)
    account.turns.record("movielens", "run", {"status": "RUNNING", "started": NOW.isoformat()})
    for row in (outcome("campaign", seconds=600.4), outcome("group"), outcome("s", did="kept")):
        account.ledger.record("movielens", "run", row, NOW)
    account.ledger.record("movielens", "another-run", outcome("x"), NOW)

    assert account.finish(RUN) == {"succeeded": True}
    assert account.finish(RUN) == {"succeeded": True}, "asked again after a lost answer"

    ((kind, detail),) = account.events.put_
    assert kind == RUN_CHANGED
    assert (detail["Status"], detail["Duration"], detail["Kept"]) == ("SUCCEEDED", 90, 1)
    assert detail["Changes"] == [
        {"Resource": "DatasetGroup", "Name": "group", "Did": "created"},
        {"Resource": "Campaign", "Name": "campaign", "Did": "created", "Seconds": 600},
    ]
    assert detail["Notes"] == ["$.x: later."]
    free = Claim("movielens", "next", "execution-2", "02")
    assert account.turns.take(free, NOW) is None, "the turn was given back"


@dataclass
class Deaf(Events):
    """A bus that takes nothing."""

    def put(self, kind: str, detail: Mapping[str, Any]) -> None:
        raise ClientError({"Error": {"Code": "InternalException"}}, "PutEvents")


def test_a_run_whose_end_could_not_be_told_is_told_at_the_next_call_and_keeps_its_turn(
    account: Account,
) -> None:
    account.turns.take(Claim("movielens", "run", "execution-1", "01"), NOW)
    account.turns.record("movielens", "run", {"status": "RUNNING", "started": NOW.isoformat()})
    account.ledger.record("movielens", "run", outcome("group"), NOW)
    heard, account.events = account.events, Deaf()
    with pytest.raises(ClientError):
        account.finish(RUN)
    assert account.turns.holder("movielens") == "run"
    account.events = heard
    account.finish(RUN)
    ((kind, detail),) = account.events.put_
    assert (kind, detail["Status"]) == (RUN_CHANGED, "SUCCEEDED")
    assert account.measured.runs == [("movielens", False, 90)], "one run is measured once"


def test_a_trained_version_is_told_and_noted_beside_the_live_one(account: Account) -> None:
    solution = "arn:aws:personalize:us-east-1:000000000000:solution/films"
    account.ledger.weigh("movielens", Version(f"{solution}/1", {"coverage": 0.5}))
    account.ledger.weigh("movielens", Version(f"{solution}/2", {"coverage": 0.25}, hours=1.5))
    account.ledger.weigh("movielens", Version(f"{solution}-popular/1", {"coverage": 0.1}))
    verdict = {"word": "pass", "mode": "observe", "pinned": False, "refreshed": False}
    verdict |= {"reasons": [], "notes": []}
    account.ledger.note_verdict("movielens", f"{solution}/2", "campaign.films.live", verdict)
    for row in (
        outcome("version.films", noun="SolutionVersion", name="films", arn=f"{solution}/2"),
        outcome("campaign.films.live", noun="Campaign", name="live", served=f"{solution}/1"),
    ):
        account.ledger.record("movielens", "run", row, NOW)
    run = {"id": "run", "group": "movielens", "config": {"key": "k"}}
    account.finish(run)
    ((_, detail),) = account.events.put_
    (model,) = detail["Models"]
    assert (model["Metrics"], model["TrainingHours"]) == ({"coverage": 0.25}, 1.5)
    assert model["Live"][0]["Metrics"] == {"coverage": 0.5}
    assert [(one["Campaign"], one["Verdict"]) for one in model["Verdicts"]] == [("live", "pass")]
    (row,) = account.turns.runs("movielens")
    assert row["models"] == detail["Models"], "numbers are read back as numbers"
    told = message_for(RUN_CHANGED, detail, region="us-east-1").text
    assert "0.2500  before 0.5000 -50.0 %" in told


def test_after_a_deletion_a_run_tells_which_models_it_has_not_trained_anew(
    account: Account,
) -> None:
    arn = "arn:aws:personalize:us-east-1:000000000000:solution/"
    names = ("anew", "partly", "by-others", "left")
    solutions = [{"name": name, "arn": f"{arn}{name}"} for name in names]
    due = {"solutions": solutions, "recommenders": ["shop"]}
    told = {"noun": "DataDeletionJob", "did": "created", "due": due}
    run = {"id": "r", "group": "films", "config": {"key": "k"}}
    account.ledger.record("films", "r", {**outcome("dataDeletionJob"), **told}, NOW)
    for name, did in (("anew", "created"), ("partly", "created"), ("by-others", "adopted")):
        made = {"noun": "SolutionVersion", "name": name, "did": did, "arn": f"{arn}{name}/1"}
        account.ledger.record("films", "r", {**outcome(f"version.{name}"), **made}, NOW)
    account.ledger.weigh("films", Version(f"{arn}partly/1", mode="UPDATE"))
    account.finish(run)
    detail = account.events.put_[-1][1]
    assert [one["name"] for one in detail["Due"]["Solutions"]] == ["partly", "by-others", "left"]
    assert (detail["Due"]["Left"], detail["Due"]["Recommenders"]) == (3, ["shop"])


def test_a_failed_run_tells_every_failure_and_its_remedy(account: Account) -> None:
    failed = {"error": "ResourceFailed", "reason": "Dataset has fewer than 1000 interactions: 3"}
    account.ledger.record("movielens", "run", outcome("s", failed=failed), NOW)
    account.ledger.record("movielens", "run", outcome("t", failed=failed), NOW)
    verdict = account.finish(RUN, [{"error": "States.TaskFailed", "cause": "x"}])
    assert verdict["succeeded"] is False
    assert verdict["error"] == "ResourceFailed"
    assert verdict["cause"] == f"Schema s: {failed['reason']} (and 1 more)"
    ((_, detail),) = account.events.put_
    assert [one["Name"] for one in detail["Failures"]] == ["s", "t"]
    assert "1,000" in detail["Failures"][0]["Remedy"]


def test_a_step_that_broke_down_is_told_where_nothing_else_is(account: Account) -> None:
    verdict = account.finish(RUN, [{"resource": "campaign", "error": "Boom", "cause": "it broke"}])
    assert (verdict["error"], verdict["cause"]) == ("Boom", "Step campaign: it broke")
    ((_, detail),) = account.events.put_
    assert detail["Failures"][0]["Reason"] == "it broke"


CAUSES = {
    '{"errorMessage": "\\"a\\"", "errorType": "KeyError"}': '"a"',
    'Payload: {"errorMessage":"it was cut': "Payload: it was cut",
    '{"errorMessage": "cut within a letter \\u00': '{"errorMessage": "cut within a letter \\u00',
    "in plain words": "in plain words",
}


def test_functions_errors_are_told_in_their_own_words(account: Account) -> None:
    account.finish(RUN, [{"resource": "x", "error": "Boom", "cause": cause} for cause in CAUSES])
    ((_, detail),) = account.events.put_
    assert [one["Reason"] for one in detail["Failures"]] == list(CAUSES.values())


def test_what_helps_names_the_place_of_the_config_the_task_or_the_run(account: Account) -> None:
    place = {"config": {"key": "train/elsewhere/config.json"}, "state": {"bucket": "data"}}
    for id, error, task in (
        ("one", "DataError", {}),
        ("two", "Unavailable", {}),
        ("three", "Unavailable", {"task": "import"}),
    ):
        failed = outcome("s", failed={"error": error, "reason": "so it is"})
        account.ledger.record("movielens", id, failed, NOW)
        account.finish({**RUN, **place, **task, "id": id})
    account.finish({**RUN, "id": "four"}, [{"resource": "x", "error": "Boom", "cause": "it broke"}])
    told = [detail["Failures"][0]["Remedy"] for _, detail in account.events.put_]
    commands = [
        "mpe check-data config.json --path s3://data/train/elsewhere",
        "mpe apply config.json",
        "mpe schedule run movielens import",
        "mpe logs four",
    ]
    assert [one[-len(command) :] for one, command in zip(told, commands, strict=True)] == commands


SKIPPED = {"noun": "DatasetImportJob", "did": "skipped"}
STAYS = {"noun": "Solution", "path": REMOVED, "did": "skipped"}
HELD = {"noun": "Campaign", "held": "arn:aws:personalize:::solution/films/2", "did": "kept"}


def recorded(account: Account, *rows: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a run that did this."""
    for number, row in enumerate(rows):
        told = {**outcome(f"{number}"), **row}
        account.ledger.record("movielens", "run", told, NOW)
    account.finish({**RUN, "notes": []})
    ((_, detail),) = account.events.put_
    return dict(detail)


def test_of_datasets_it_is_noted_which_have_no_csv_and_what_was_thought_of_the_data(
    account: Account,
) -> None:
    detail = recorded(
        account,
        SKIPPED,
        {**SKIPPED, "did": "kept"},
        {**SKIPPED, "noun": "DataDeletionJob"},
        {**SKIPPED, "did": "created", "told": "half is lost"},
    )
    assert detail["Notes"] == [
        "Dataset 0: there is no CSV for it, so nothing was imported.",
        "Dataset 3: half is lost",
    ]


def test_doubts_of_what_was_made_are_noted_and_what_it_was_made_with_is_told_of_the_change(
    account: Account,
) -> None:
    of_campaign, of_version = {"noun": "Campaign"}, {"noun": "SolutionVersion"}
    detail = recorded(
        account,
        {**of_campaign, "told": f"{SMOKE}failed"},
        {**of_campaign, "told": "1 -> 2"},
        of_campaign,
        {**of_version, "told": f"{LET_IN}me"},
        {**of_version, "told": f"{UNJUDGED}no"},
        {**of_version, "told": "with HPO"},
        {"noun": "Solution", "told": "every week"},
    )
    assert sorted(detail["Notes"]) == [
        f"Campaign 0: {SMOKE}failed",
        f"SolutionVersion 3: {LET_IN}me",
        f"SolutionVersion 4: {UNJUDGED}no",
    ]
    told = {one["Name"]: one["Told"] for one in detail["Changes"] if "Told" in one}
    assert told == {"1": "1 -> 2", "5": "with HPO", "6": "every week"}


def test_what_stays_though_the_config_names_it_no_more_is_noted(account: Account) -> None:
    detail = recorded(account, {**STAYS, "told": "it stays."}, STAYS)
    assert detail["Notes"] == ["Solution 0 is not in the config, and it stays."]


def test_campaigns_that_are_held_are_noted_and_named(account: Account) -> None:
    detail = recorded(account, HELD, {**HELD, "noun": "BatchInferenceJob"}, {"noun": "Campaign"})
    (note,) = detail["Notes"]
    assert note.startswith("Campaign 0 is held: it is not moved to films/2.")
    assert detail["Held"] == ["0"]


def test_what_could_not_be_removed_is_a_failure_and_no_note(account: Account) -> None:
    failed = {"error": "ResourceFailed", "reason": "its status is DELETE FAILED"}
    detail = recorded(account, {**STAYS, "told": "it stays.", "failed": failed})
    assert (detail["Notes"], detail["Failed"]) == ([], 1)


def test_a_run_is_recorded_with_the_data_that_it_found(account: Account) -> None:
    data = "2027-01-01T00:00:00+00:00 s3://data/train/movielens/interactions.csv"
    imported = {**outcome("views", data=data), "noun": "DatasetImportJob"}
    account.ledger.record("movielens", "run", imported, NOW)
    account.ledger.record("movielens", "run", outcome("live", data=data), NOW)
    account.finish(RUN)
    row = account.turns.recorded("movielens", "run")
    assert row is not None
    assert row["data"] == {"views": data}


def test_durations_and_rows_are_kept_by_group(account: Account) -> None:
    account.ledger.remember("movielens", "campaign.live", "Campaign", "created", 601.26)
    assert account.ledger.durations("movielens", "campaign.live", "created") == (601.3,)
    assert account.ledger.durations("other", "campaign.live", "created") == ()


def test_each_kind_of_work_has_a_duration_of_its_own(account: Account) -> None:
    account.ledger.remember("movielens", "version.s", "SolutionVersion", "created", 9000)
    account.ledger.remember("movielens", "version.s", "SolutionVersion", "created UPDATE", 1200)
    assert account.ledger.durations("movielens", "version.s", "created") == (9000,)
    assert account.ledger.durations("movielens", "version.s", "created UPDATE") == (1200,)
    assert account.ledger.usual("SolutionVersion", "created UPDATE") == (1200,)
    assert account.ledger.durations("movielens", "version.s", "updated") == ()


def test_a_type_has_the_duration_of_whichever_group_was_last(account: Account) -> None:
    assert account.ledger.usual("Campaign", "created") == ()
    account.ledger.remember("movielens", "campaign.live", "Campaign", "created", 600)
    account.ledger.remember("other", "campaign.live", "Campaign", "created", 700)
    assert account.ledger.usual("Campaign", "created") == (600, 700)
    assert account.ledger.usual("Filter", "created") == ()


def test_the_newest_durations_are_kept_beside_the_last_which_former_releases_read(
    account: Account,
) -> None:
    for seconds in range(1, 11):
        account.ledger.remember("movielens", "version.s", "SolutionVersion", "created", seconds)
    assert account.ledger.durations("movielens", "version.s", "created") == tuple(range(3, 11))
    rows = clients.tables().Table("ledger")
    key = {"group": "movielens", "record": "DURATION#created#version.s"}
    row = rows.get_item(Key=key)["Item"]
    assert row["seconds"] == 10
    former = {"version": 1, "needs": 0, "release": "0.1.0"}
    rows.put_item(Item={**key, "seconds": Decimal("7.5"), "form": former})
    assert account.ledger.durations("movielens", "version.s", "created") == (7.5,)
    account.ledger.remember("movielens", "version.s", "SolutionVersion", "created", 9)
    assert account.ledger.durations("movielens", "version.s", "created") == (7.5, 9)


def test_the_worst_config_still_fits_into_an_event(account: Account) -> None:
    document = config()
    document["x" * 100_000] = {}
    for n in range(5_000):
        document[f"{n}-{'y' * 100}"] = {}
    assert account.upload(json.dumps(document))["rejected"] == PROBLEMS_LIMIT + 1
    ((_, detail),) = account.events.put_
    assert detail["Total"] == PROBLEMS_LIMIT + 1
    assert 10 < len(detail["Problems"]) < PROBLEMS_LIMIT
    message = message_for(CONFIG_REJECTED, detail, region="us-east-1")
    assert len(json.dumps(detail)) < 100_000
    assert len(json.dumps(message.by_protocol())) < 256_000


def test_the_worst_run_still_fits_into_an_event(account: Account) -> None:
    failed = {"error": "ResourceFailed", "reason": "z" * 5_000}
    for n in range(150):
        account.ledger.record("movielens", "run", outcome(f"s{n}", failed=failed), NOW)
        account.ledger.record("movielens", "run", outcome(f"t{n}"), NOW)
    account.finish(RUN)
    ((_, detail),) = account.events.put_
    assert (detail["Failed"], detail["Changed"]) == (150, 150)
    message = message_for(RUN_CHANGED, detail, region="us-east-1")
    assert len(json.dumps(detail)) < 150_000
    assert len(json.dumps(message.by_protocol())) < 256_000


def test_the_ledger_knows_what_a_job_was_made_for_unless_that_is_too_much(
    account: Account,
) -> None:
    ledger = account.ledger
    assert ledger.seen("films", "items-1") is None
    few, many = (frozenset(f"{number:012}" for number in range(most)) for most in (2, 5_001))
    ledger.see("films", "items-1", few, NOW)
    ledger.see("films", "items-2", many, NOW)
    assert ledger.seen("films", "items-1") == few
    assert ledger.seen("films", "items-2") is None
    assert ledger.seen("shop", "items-1") is None
