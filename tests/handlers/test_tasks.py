"""Scheduled tasks: kept as the config says, fired one at a time, settled, disabled when gone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.aws.events import RUN_CHANGED
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects
from mpe.aws.schedules import Schedules, Target
from mpe.aws.tasks import MOST_FIRED, Tasks
from mpe.aws.turns import ACTS, Claim
from mpe.handlers.fire import Fire
from mpe.handlers.schedule import Synchronize
from mpe.handlers.settle import Settle, failure_of
from mpe.infrastructure.scheduling import LONGEST
from mpe.model.config.parse import parse
from mpe.model.errors import TurnLost
from mpe.model.messages import message_for
from mpe.model.plan.desired import desired_state
from mpe.model.plan.tasks import BY_USER, GONE, schedule_name
from mpe.model.remedies import Where, remedy
from tests import clients
from tests.conftest import config
from tests.everything import RECIPE
from tests.handlers.test_runs import NOW, PLACE, STACK, Account, Fixed
from tests.handlers.test_runs import account as account

TARGET = Target("arn:machine", "arn:aws:iam::000000000000:role/scheduler", "arn:queue")
IMPORT = schedule_name("movielens", "import")


def scheduled(**full: str) -> dict[str, Any]:
    """Return the example with a schedule for imports and, by default, one for training."""
    document = config()
    document["datasetGroup"]["workflowConfig"] = {
        "schedules": {"import": "cron(0 3 * * ? *)"},
        "timeZone": "Europe/Berlin",
    }
    schedules = full or {"full": "rate(7 days)"}
    document["solutions"][0]["workflowConfig"] = {"schedules": schedules}
    return document


class Desk:
    """Everything that handles tasks, with S3, DynamoDB and Scheduler as moto has them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.client = clients.own("scheduler")
        self.client.create_schedule_group(Name="group")
        self.schedules = Schedules(self.client, "group")
        self.clock = Fixed(moment=NOW)

    def synchronize(
        self, document: dict[str, Any], version: str = "1", redriven: int = 0
    ) -> dict[str, Any]:
        objects = Objects(self.account.s3)
        state = desired_state(parse(json.dumps(document)), PLACE, version=version)
        pointer = objects.save_state("data", state)
        run = {
            "state": {"bucket": pointer.bucket, "key": pointer.key},
            "config": {"key": "train/movielens/config.json", "version": version},
            "sequencer": version,
            "group": "movielens",
            "id": f"run-{version}",
        }
        account = self.account
        keep = Synchronize(
            objects,
            account.tasks,
            self.schedules,
            TARGET,
            account.turns,
            account.ledger,
            self.clock,
        )
        return keep(run, redriven)

    def fire(
        self, task: str, execution: str = "execution-1", scheduled: str | None = None
    ) -> dict[str, Any]:
        return self.firing(self.account.tasks)("movielens", task, execution, scheduled)

    def firing(self, tasks: Tasks) -> Fire:
        account = self.account
        return Fire(tasks, account.executions, account.events, self.clock, STACK)  # type: ignore[arg-type]

    def settle(self, run: dict[str, Any], failure: dict[str, Any] | None = None) -> dict[str, Any]:
        return Settle(self.account.tasks, self.schedules, self.clock)(run, "execution-1", failure)

    def row(self, task: str) -> dict[str, Any]:
        found = self.account.tasks.get("movielens", task)
        assert found is not None
        return found

    def schedule(self, name: str = IMPORT) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_schedule(Name=name, GroupName="group")
        return found


@pytest.fixture
def desk(account: Account) -> Desk:
    return Desk(account)


def test_each_task_has_a_row_and_a_schedule(desk: Desk) -> None:
    assert desk.synchronize(scheduled()) == {"scheduled": 2, "removed": 0}
    found = desk.schedule()
    assert found["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert found["State"] == "ENABLED"
    assert found["Target"]["Arn"] == TARGET.machine
    assert found["Target"]["DeadLetterConfig"] == {"Arn": TARGET.dead_letters}
    given = json.loads(found["Target"]["Input"])
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    keyword = "<aws.scheduler.scheduled-time>"
    assert given == {"group": "movielens", "task": "import", "scheduled": keyword}
    row = desk.row("full.movielens-for-you")
    assert row["path"] == "$.solutions[0].workflowConfig.schedules.full"
    assert (row["kind"], row["expression"]) == ("full", "rate(7 days)")
    assert row["schedule"] == schedule_name("movielens", "full.movielens-for-you")
    assert row["config"]["key"] == "train/movielens/config.json"
    assert row["zone"] == "Europe/Berlin"


def test_a_changed_schedule_is_changed_and_one_no_longer_wanted_goes(desk: Desk) -> None:
    desk.synchronize(scheduled())
    document = scheduled()
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "rate(1 hour)"
    del document["solutions"][0]["workflowConfig"]
    assert desk.synchronize(document, "2") == {"scheduled": 1, "removed": 1}
    assert desk.schedule()["ScheduleExpression"] == "rate(1 hour)"
    told = {row["name"]: row["told"] for row in desk.account.ledger.outcomes("movielens", "run-2")}
    assert told == {
        "import": "rate(1 hour) (Europe/Berlin)",
        "full.movielens-for-you": "rate(7 days) (Europe/Berlin)",
    }
    assert desk.account.tasks.get("movielens", "full.movielens-for-you") is None
    with pytest.raises(ClientError, match="ResourceNotFound"):
        desk.schedule(schedule_name("movielens", "full.movielens-for-you"))
    assert desk.synchronize(config(), "3") == {"scheduled": 0, "removed": 1}


def _refuse(desk: Desk, operation: str, code: str, status: int) -> None:
    def refuse(**_: Any) -> None:
        told = {"Error": {"Code": code, "Message": "no"}}
        raise ClientError({**told, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)  # type: ignore[typeddict-item]

    desk.client.meta.events.register(f"before-call.scheduler.{operation}", refuse)


def _allow(desk: Desk) -> None:
    desk.client = clients.own("scheduler")
    desk.schedules = Schedules(desk.client, "group")


def _told(desk: Desk, version: str) -> dict[str, str | None]:
    rows = desk.account.ledger.outcomes("movielens", f"run-{version}")
    return {row["name"]: row.get("did") for row in rows}


@pytest.mark.parametrize("operation", ["DeleteSchedule", "UpdateSchedule"])
def test_no_task_is_told_as_changed_that_a_refusal_has_left_as_it_was(
    desk: Desk, operation: str
) -> None:
    desk.synchronize(scheduled())
    document = scheduled()
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "rate(1 hour)"
    del document["solutions"][0]["workflowConfig"]
    _refuse(desk, operation, "AccessDeniedException", 403)
    with pytest.raises(ClientError):
        desk.synchronize(document, "2")
    deleting = operation == "DeleteSchedule"
    changed = desk.schedule()["ScheduleExpression"] == "rate(1 hour)"
    assert changed == deleting
    told = _told(desk, "2")
    assert told == {"import": "updated" if deleting else None, "full.movielens-for-you": None}
    _allow(desk)
    desk.synchronize(document, "3")
    expected = {} if deleting else {"import": "updated"}
    assert _told(desk, "3") == {"full.movielens-for-you": "removed", **expected}


def _denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)


class LastStays(Schedules):
    """Scheduler, which keeps the schedule of imports."""

    def delete(self, name: str) -> None:
        if name == IMPORT:
            raise _denied("DeleteSchedule")
        super().delete(name)


class LastRowStays(Tasks):
    """The schedule table, which keeps the row of imports."""

    def delete(self, group: str, task: str) -> None:
        if task == "import":
            raise _denied("DeleteItem")
        super().delete(group, task)


@pytest.mark.parametrize("row", [False, True], ids=["its-schedule", "its-row"])
def test_of_tasks_that_go_those_are_told_that_are_gone_where_one_stays(
    desk: Desk, row: bool
) -> None:
    desk.synchronize(scheduled())
    if row:
        desk.account.tasks = LastRowStays(desk.account.tasks._table)
    else:
        desk.schedules = LastStays(desk.client, "group")
    with pytest.raises(ClientError):
        desk.synchronize(config(), "2")
    assert _told(desk, "2") == {"full.movielens-for-you": "removed", "import": None}
    assert list(desk.account.tasks.ids("movielens")) == ["import"]


def test_a_task_whose_schedule_was_refused_is_told_as_created_by_who_makes_it(desk: Desk) -> None:
    _refuse(desk, "CreateSchedule", "AccessDeniedException", 403)
    with pytest.raises(ClientError):
        desk.synchronize(scheduled())
    assert list(desk.account.tasks.ids("movielens")) == []
    _allow(desk)
    desk.synchronize(scheduled(), "2")
    assert _told(desk, "2") == {"import": "created", "full.movielens-for-you": "created"}


def test_a_task_whose_schedule_waits_for_an_outage_is_told_of_once_that_is_over(
    desk: Desk,
) -> None:
    desk.synchronize(scheduled())
    document = scheduled()
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "rate(1 hour)"
    _refuse(desk, "UpdateSchedule", "InternalServerException", 500)
    with pytest.raises(ClientError):
        desk.synchronize(document, "2")
    _allow(desk)
    desk.synchronize(document, "2")
    assert _told(desk, "2") == {"import": "updated"}


def test_what_is_told_as_changed_and_is_not_is_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Scheduler refuses a change, and the ledger that it is taken back."""
    _refuse(desk, "CreateSchedule", "AccessDeniedException", 403)
    desk.account.ledger = Full(desk.account.ledger._table)
    with pytest.raises(ClientError, match="CreateSchedule"):
        desk.synchronize(scheduled())
    (line,) = (vars(one) for one in caplog.records if one.levelname == "WARNING")
    assert line["msg"] == "tasks are told as changed that are not"
    assert "PutItem" in line["error"]


class Full(Ledger):
    """A ledger that takes what was done to a task, and nothing else of it."""

    def record(self, group: str, run: str, outcome: Mapping[str, Any], now: datetime) -> None:
        if not outcome.get("did"):
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem")
        super().record(group, run, outcome, now)


def test_a_state_that_s3_keeps_is_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
        refused = {"Key": "state/movielens/old.json", "Code": "AccessDenied"}
        return type("Answer", (), {"status_code": 200})(), {"Errors": [refused]}

    for day in ("20260101", "20260102"):
        desk.synchronize(config(), f"{day}T000000-0123abcd")
    assert caplog.records == []
    desk.account.s3 = clients.own("s3")
    desk.account.s3.meta.events.register("before-call.s3.DeleteObjects", refuse)
    desk.synchronize(config(), "20260201T000000-0123abcd")
    (line,) = (vars(one) for one in caplog.records if one.levelname == "WARNING")
    assert line["msg"] == "old states are kept, since S3 refused to delete them"
    assert "state/movielens/old.json" in str(line["s3"])


def states_of(desk: Desk) -> list[str]:
    found = desk.account.s3.list_objects_v2(Bucket="data", Prefix="state/movielens/")
    return [one["Key"].split("/")[-1][:8] for one in found.get("Contents", ())]


def test_a_state_that_no_run_can_need_after_a_newer_one_goes(desk: Desk) -> None:
    for day in ("20260101", "20260102", "20260108", "20260110"):
        desk.synchronize(config(), f"{day}T000000-0123abcd")
    assert states_of(desk) == ["20260108", "20260110"], "a run of the 8th may be under way still"
    # An upload that is late, or another's: nothing newer than it goes, nor what has another name.
    desk.account.s3.put_object(Bucket="data", Key="state/movielens/mine.json", Body=b"{}")
    desk.synchronize(config(), "20260102T000000-0123abcd")
    assert states_of(desk) == ["20260102", "20260108", "20260110", "mine.jso"]


def test_the_newest_state_with_a_former_schema_stays_for_who_removes_the_group(desk: Desk) -> None:
    former = config()
    schema = former["datasets"]["interactions"]["schema"]["serviceConfig"]
    schema["name"] = "former"
    for day in ("20260101", "20260102"):
        desk.synchronize(former, f"{day}T000000-0123abcd")
    desk.synchronize(config(), "20260201T000000-0123abcd")
    assert states_of(desk) == ["20260102", "20260201"]


def test_a_state_that_cannot_be_read_stays(desk: Desk) -> None:
    key = "state/movielens/20260101T000000-0123abcd.json"
    desk.account.s3.put_object(Bucket="data", Key=key, Body=b"{}")
    desk.synchronize(config(), "20260201T000000-0123abcd")
    assert states_of(desk) == ["20260101", "20260201"]


SLOW = 0.2
"""Seconds that a call of DynamoDB or Scheduler may take, taken badly: they answer in a tenth."""


def test_three_hundred_tasks_are_kept_within_the_time_of_the_function(account: Account) -> None:
    """Counted, not timed: what each call may take, taken badly, fits into half of that time.

    At worst each task of the one config makes place for one of the other. Thirty of them are
    counted ten times: tasks are kept one by one.
    """
    rows = clients.own_tables().Table("tasks")
    account.tasks, account.s3 = Tasks(rows), clients.own("s3")
    desk = Desk(account)
    calls: list[str] = []
    for client in (desk.client, rows.meta.client, account.s3):
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    for name in ("one", "other"):
        calls.clear()
        document = scheduled()
        (solution, *_) = document["solutions"]
        document["solutions"] = [renamed(solution, f"{name}-{number}") for number in range(29)]
        assert desk.synchronize(document, name)["scheduled"] == 30
    assert calls.count("DeleteSchedule") == 29
    assert 10 * len(calls) * SLOW < LONGEST.to_seconds() / 2


def renamed(solution: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a solution of another name, with its schedules alone."""
    config = {**solution["serviceConfig"], "name": name}
    return {"serviceConfig": config, "workflowConfig": solution["workflowConfig"]}


def test_a_run_that_is_redriven_without_its_turn_changes_no_schedule(desk: Desk) -> None:
    desk.account.turns.announce("movielens", "run-2", "2", "train/movielens/config.json")
    desk.synchronize(scheduled(), "2")
    before = desk.schedule()
    document = scheduled()
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "rate(1 hour)"
    desk.account.turns.record("movielens", "run-1", {"status": "FAILED", "execution": "former"})
    with pytest.raises(TurnLost):
        desk.synchronize(document, "1", redriven=1)
    assert desk.schedule()["ScheduleExpression"] == before["ScheduleExpression"]


def test_a_run_that_is_redriven_with_its_turn_keeps_its_schedules(desk: Desk) -> None:
    desk.account.turns.record("movielens", "run-1", {"status": "FAILED", "execution": "former"})
    assert desk.synchronize(scheduled(), "1", redriven=1) == {"scheduled": 2, "removed": 0}
    assert desk.account.turns.holds("movielens", "run-1")


class Noting(Schedules):
    """Scheduler, with every state that a schedule was given."""

    def __init__(self, client: Any, group: str) -> None:
        super().__init__(client, group)
        self.states: list[tuple[str, bool]] = []

    def put(self, name: str, *given: Any, enabled: bool, **more: Any) -> None:
        self.states.append((name, enabled))
        super().put(name, *given, enabled=enabled, **more)

    def enable(self, name: str, *, enabled: bool) -> None:
        self.states.append((name, enabled))
        super().enable(name, enabled=enabled)


def test_what_a_user_disabled_stays_so_and_what_was_gone_comes_back(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.account.tasks.set("movielens", "import", disabled=BY_USER)
    desk.account.tasks.set("movielens", "full.movielens-for-you", disabled=GONE)
    desk.schedules = noting = Noting(desk.client, "group")
    desk.synchronize(scheduled(), "2")
    other = schedule_name("movielens", "full.movielens-for-you")
    assert noting.states == [(IMPORT, False), (other, True)], "nor was it otherwise in between"
    assert desk.schedule()["State"] == "DISABLED"
    assert desk.row("import")["disabled"] == BY_USER
    assert "disabled" not in desk.row("full.movielens-for-you")


class Beset(Tasks):
    """The schedule table, of which others change a row right after it was read."""

    def ids(self, group: str) -> Iterator[str]:
        rows = list(super().ids(group))
        self.set(group, "import", last={"status": "SUCCEEDED"}, disabled=BY_USER)
        yield from rows


def test_what_becomes_of_a_task_while_the_config_is_synchronized_is_kept(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.fire("import")
    desk.account.tasks = Beset(clients.tables().Table("tasks"))
    desk.synchronize(scheduled(), "2")
    assert desk.row("import")["last"] == {"status": "SUCCEEDED"}
    assert desk.row("import")["disabled"] == BY_USER
    assert desk.row("import")["sequencer"] == "2"
    assert desk.schedule()["State"] == "DISABLED"


def test_a_fire_makes_a_run_of_the_newest_config(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.synchronize(scheduled(), "2")
    run = desk.fire("import")["run"]
    assert len(run["id"]) == 24
    assert run["task"] == "import"
    assert run["state"]["key"].endswith("/2.json")
    assert desk.row("import")["last"]["status"] == "RUNNING"


def test_a_fire_whose_row_only_a_newer_release_can_read_is_told_as_a_run_that_failed(
    desk: Desk,
) -> None:
    mark = {"version": 99, "needs": 99, "release": "9.0.0"}
    row = {"group": "movielens", "record": "import", "form": mark}
    desk.account.tasks._table.put_item(Item=row)
    answer = desk.fire("import")
    assert (answer["run"], "9.0.0" in answer["skip"]) == ({}, True)
    ((kind, detail),) = desk.account.events.put_
    assert (kind, detail["Status"], detail["Task"]) == (RUN_CHANGED, "FAILED", "import")
    numbers = {key: detail[key] for key in ("Duration", "Changed", "Kept", "Failed")}
    assert numbers == {"Duration": 0, "Changed": 0, "Kept": 0, "Failed": 1}
    (failure,) = detail["Failures"]
    assert (failure["Error"], failure["Reason"]) == ("NewerForm", answer["skip"])
    told = remedy("Task", "NewerForm", answer["skip"], Where("movielens", task="import"))
    assert failure["Remedy"] == told


def test_a_task_that_still_runs_is_skipped(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.account.executions.alive.add("execution-1")
    first = desk.fire("import")
    assert desk.fire("import") == first, "the same execution asks again"
    assert "still runs" in desk.fire("import", "execution-2")["skip"]
    assert desk.row("import")["skipped"]
    desk.account.executions.alive.clear()
    assert desk.fire("import", "execution-2")["run"], "its execution died without a word"


class Crossed(Tasks):
    """A table between whose reads and writes another execution fires the same task."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.account.tasks._table)
        self.desk = desk
        self.crossings = 1

    def get(self, group: str, task: str) -> dict[str, Any] | None:
        row = super().get(group, task)
        if self.crossings:
            self.crossings -= 1
            assert self.desk.fire(task, "execution-2")["run"]
        return row


def test_of_two_fires_at_the_same_moment_one_runs(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.account.executions.alive |= {"execution-1", "execution-2"}
    assert "still runs" in desk.firing(Crossed(desk))("movielens", "import", "execution-1")["skip"]
    assert desk.row("import")["last"]["execution"] == "execution-2"


AT, LATER = "2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"


def test_a_second_delivery_of_a_fire_does_nothing_also_after_the_run_of_the_first(
    desk: Desk,
) -> None:
    """Scheduler delivers at least once
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html)."""
    desk.synchronize(scheduled())
    first = desk.fire("import", scheduled=AT)
    assert desk.fire("import", scheduled=AT) == first, "the same execution asks again"
    desk.settle(first["run"])
    assert "delivered before" in desk.fire("import", "execution-2", AT)["skip"]
    assert desk.row("import")["last"]["status"] == "SUCCEEDED"
    assert desk.fire("import", "execution-3", LATER)["run"]
    assert "delivered before" in desk.fire("import", "execution-4", AT)["skip"]


def test_a_fire_that_was_skipped_is_not_made_up_for_by_its_second_delivery(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.account.executions.alive.add("execution-1")
    desk.fire("import", scheduled=AT)
    assert "still runs" in desk.fire("import", "execution-2", LATER)["skip"]
    desk.account.executions.alive.clear()
    assert "delivered before" in desk.fire("import", "execution-3", LATER)["skip"]


def test_fires_by_hand_and_of_schedules_that_tell_no_time_are_as_many_as_they_are(
    desk: Desk,
) -> None:
    desk.synchronize(scheduled())
    runs = [desk.fire("import", f"execution-{count}")["run"]["id"] for count in range(3)]
    assert len(set(runs)) == 3


def test_the_last_fires_are_known_and_not_all_there_ever_were(desk: Desk) -> None:
    desk.synchronize(scheduled())
    fires = [f"2026-01-{count // 24 + 1:02}T{count % 24:02}:00:00Z" for count in range(230)]
    for count, at in enumerate(fires):
        assert desk.fire("import", f"execution-{count}", at)["run"]
        assert len(desk.row("import")["fired"]) <= 2 * MOST_FIRED
    for at in fires[-MOST_FIRED:]:
        assert "delivered before" in desk.fire("import", "another", at)["skip"]


class Hasty(Schedules):
    """Scheduler, at which somebody disables or enables a task right before Keep does its part."""

    change: str | None = None

    def put(self, name: str, *given: Any, **more: Any) -> None:
        change = self.change if name == IMPORT else None
        if change == "disable":
            self.tasks.set("movielens", "import", disabled=BY_USER)
            self.enable(IMPORT, enabled=False)
        if change == "enable":
            self.tasks.enable("movielens", "import")
            self.enable(IMPORT, enabled=True)
        super().put(name, *given, **more)

    tasks: Tasks


@pytest.mark.parametrize("change", ["disable", "enable"])
def test_who_disables_a_task_between_its_row_and_its_schedule_is_heard(
    desk: Desk, change: str
) -> None:
    desk.synchronize(scheduled())
    if change == "enable":
        desk.account.tasks.set("movielens", "import", disabled=BY_USER)
        desk.schedules.enable(IMPORT, enabled=False)
    desk.schedules = hasty = Hasty(desk.client, "group")
    hasty.tasks, hasty.change = desk.account.tasks, change
    desk.synchronize(scheduled(), "2")
    assert desk.schedule()["State"] == ("ENABLED" if change == "enable" else "DISABLED")
    assert ("disabled" in desk.row("import")) == (change == "disable")


def test_a_disabled_task_is_not_fired_by_its_schedule_but_by_hand(desk: Desk) -> None:
    """Whoever disables it may be stopped between its row and its schedule."""
    desk.synchronize(scheduled())
    desk.account.tasks.set("movielens", "import", disabled=BY_USER)
    assert "disabled" in desk.fire("import", scheduled=AT)["skip"]
    assert desk.fire("import")["run"]


def test_a_fire_whose_answer_was_lost_is_the_same_fire(desk: Desk) -> None:
    desk.synchronize(scheduled())
    desk.account.executions.alive.add("execution-1")
    desk.fire("import")
    assert desk.fire("import")["run"]["task"] == "import"


def test_a_task_that_the_config_no_longer_has_is_skipped(desk: Desk) -> None:
    assert "no longer" in desk.fire("import")["skip"]


def test_the_outcome_is_in_the_row(desk: Desk) -> None:
    desk.synchronize(scheduled())
    run = desk.fire("import")["run"]
    assert desk.settle(run) == {"succeeded": True, "error": ""}
    last = desk.row("import")["last"]
    assert (last["status"], last["run"]) == ("SUCCEEDED", run["id"])
    assert desk.schedule()["State"] == "ENABLED"
    desk.settle(run, {"error": "ResourceFailed", "cause": "x"})
    assert desk.row("import")["last"]["error"] == "ResourceFailed"
    assert desk.schedule()["State"] == "ENABLED"


def test_a_task_whose_resource_is_gone_is_disabled(desk: Desk) -> None:
    desk.synchronize(scheduled())
    run = desk.fire("import")["run"]
    desk.settle(run, {"error": "ResourceMissing", "cause": "x"})
    assert desk.schedule()["State"] == "DISABLED"
    assert desk.row("import")["disabled"] == GONE


def test_the_outcome_of_a_task_that_was_removed_meanwhile_is_no_error(desk: Desk) -> None:
    desk.synchronize(scheduled())
    run = desk.fire("import")["run"]
    desk.synchronize(config(), "2")
    desk.settle(run, {"error": "ResourceMissing", "cause": "x"})
    assert desk.account.tasks.get("movielens", "import") is None


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ({"succeeded": True}, None),
        ({"failed": True, "error": "DriftError", "cause": "x"}, "DriftError"),
    ],
)
def test_the_error_of_a_child_execution_is_found(result: dict[str, Any], error: str | None) -> None:
    found = failure_of(result)
    assert (found["error"] if found else None) == error


def test_a_task_takes_its_turn_and_gets_its_part_of_the_work(desk: Desk) -> None:
    desk.synchronize(scheduled())
    claim = Claim("movielens", "task-run", "execution-9", "1")
    work = desk.account.begin(claim, task="full.movielens-for-you", config="1")["work"]
    (solution,) = work["solutions"]
    assert solution["version"] == "version.movielens-for-you"
    assert solution["campaigns"] == ["campaign.movielens-for-you.movielens-for-you"]
    assert work["imports"] == work["datasets"] == []
    row = desk.account.turns.recorded("movielens", "task-run")
    assert row is not None
    assert (row["task"], row["status"]) == ("full.movielens-for-you", "RUNNING")


def test_a_task_waits_for_a_run_and_gives_way_to_a_new_config(desk: Desk) -> None:
    desk.synchronize(scheduled())
    account, claim = desk.account, Claim("movielens", "task-run", "execution-9", "1")
    account.executions.alive.add("execution-1")
    account.turns.take(Claim("movielens", "other", "execution-1", "1"), NOW)
    assert "wait" in account.begin(claim, task="import", config="1")
    account.turns.give_back("movielens", "execution-1")
    desk.synchronize(scheduled(), "2")
    account.executions.alive.add("execution-9")
    assert account.begin(claim, task="import", config="1") == {"superseded": True}
    other = replace(claim, execution="execution-10")
    assert "work" in account.begin(other, task="import", config="2"), "the turn was given back"


def test_every_kind_of_schedule_is_a_task(desk: Desk) -> None:
    document = scheduled(full="rate(7 days)", update="rate(1 day)")
    document["solutions"][0]["serviceConfig"]["recipeArn"] = f"{RECIPE}aws-user-personalization"
    daily = {"workflowConfig": {"schedule": "rate(1 day)"}}
    document["solutions"][0]["batchInferenceJobs"] = [daily, {}]
    document["datasets"]["items"]["export"] = daily
    document["datasets"]["users"]["export"] = {}
    state = desired_state(parse(json.dumps(document)), PLACE, version="1")
    name = "movielens-for-you"
    assert set(state.tasks) == {
        "import",
        f"full.{name}",
        f"update.{name}",
        f"batchInferenceJob.{name}.{name}",
        "export.items",
    }
    assert state.tasks["import"].work["exports"] == ["export.users"]
    assert state.tasks[f"update.{name}"].params == {f"version.{name}": {"trainingMode": "UPDATE"}}
    batch = state.tasks[f"batchInferenceJob.{name}.{name}"]
    assert batch.anew == (f"batchInferenceJob.{name}.{name}",)
    assert batch.work["solutions"][0]["batchInferenceJobs"] == [*batch.anew]
    assert batch.work["solutions"][0]["campaigns"] == []
    for task in state.tasks.values():
        assert set(task.work) == set(state.work)


def test_recommenders_have_windows(desk: Desk) -> None:
    document = config()
    document["datasetGroup"]["serviceConfig"]["domain"] = "VIDEO_ON_DEMAND"
    fields = document["datasets"]["items"]["schema"]["serviceConfig"]["schema"]["fields"]
    fields.append({"name": "CREATION_TIMESTAMP", "type": "long"})
    windows = {"start": "cron(0 8 ? * MON-FRI *)", "stop": "cron(0 20 ? * MON-FRI *)"}
    document["recommenders"] = [
        {
            "serviceConfig": {"name": "top", "recipeArn": f"{RECIPE}aws-vod-top-picks"},
            "workflowConfig": {"schedules": windows},
        }
    ]
    tasks = desired_state(parse(json.dumps(document)), PLACE, version="1").tasks
    assert {id: task.status for id, task in tasks.items()} == {
        "start.top": "ACTIVE",
        "stop.top": "INACTIVE",
    }
    assert tasks["stop.top"].work["recommenders"] == ["recommender.top"]


def test_the_mail_of_a_task_says_which(account: Account) -> None:
    run = {
        "id": "r",
        "group": "movielens",
        "task": "full.movielens-for-you",
        "config": {"key": "train/movielens/config.json"},
    }
    account.finish(run)
    ((kind, detail),) = account.events.put_
    message = message_for(kind, detail, region="us-east-1")
    assert message.subject == (
        "Personalize dataset group movielens: scheduled full training of movielens-for-you is done"
    )
    assert "the scheduled full training of movielens-for-you succeeded." in message.text


def test_a_killed_run_is_told_and_gives_its_turn_back(account: Account) -> None:
    run = {"id": "r", "group": "movielens", "config": {"key": "train/movielens/config.json"}}
    claim = Claim("movielens", "r", "execution-1", "1")
    account.turns.take(claim, NOW)
    crash = {"error": "ABORTED", "cause": "stopped by somebody", "resource": "the workflow"}
    account.finishing(Fixed(moment=NOW))(run, "execution-1", [crash], killed=True)
    ((_, detail),) = account.events.put_
    assert detail["Failures"][0]["Reason"] == "stopped by somebody"
    assert account.measured.runs == [("movielens", True, 0)]
    successor = replace(claim, execution="execution-2")
    assert account.turns.take(successor, NOW) == "execution-1", "its functions may still act"
    assert account.turns.take(successor, NOW + ACTS * 1.1) is None
