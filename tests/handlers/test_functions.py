"""Functions as Lambda calls them: by the stack's settings, with what they answer in the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from mpe.aws import clients
from mpe.aws.turns import ACTS, Claim
from mpe.handlers import (
    begin,
    bury,
    configure,
    ensure,
    finish,
    fire,
    preflight,
    remove,
    schedule,
    settle,
    tend,
)
from mpe.handlers.settings import LOGGER
from mpe.model.plan.tasks import schedule_name
from tests.attached import attach
from tests.conftest import Emulated
from tests.handlers.test_runs import BUCKET, Account
from tests.handlers.test_runs import account as account
from tests.handlers.test_tasks import scheduled

REGION, ACCOUNT = "us-east-1", "123456789012"
AT = f"{REGION}:{ACCOUNT}"
KEY = "train/movielens/config.json"
SETTINGS = {
    "DATA_BUCKET": BUCKET,
    "DEAD_LETTERS": f"arn:aws:sqs:{AT}:dead",
    "EVENT_BUS": "bus",
    "LEDGER_TABLE": "ledger",
    "MACHINE": f"arn:aws:states:{AT}:stateMachine:Tasks",
    "PERSONALIZE_KMS_KEY": "",
    "PERSONALIZE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/service",
    "SCHEDULE_GROUP": "group",
    "SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/scheduler",
    "STACK": "Films",
    "TASKS_TABLE": "tasks",
    "TURNS_TABLE": "turns",
}
EXECUTION = f"arn:aws:states:{AT}:execution:Provisioning:one"


@dataclass(frozen=True)
class Context:
    """What Lambda says of a call."""

    invoked_function_arn: str = f"arn:aws:lambda:{AT}:function:films:live"


class Log(logging.Handler):
    """The lines that a function writes, as CloudWatch would have them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(LOGGER.registered_formatter.format(record)))

    def line(self, message: str) -> dict[str, Any]:
        """Return the newest line that says this."""
        return [one for one in self.lines if one["message"] == message][-1]


@dataclass
class Functions:
    """The functions of a stack, in an account as moto has it."""

    account: Account
    emulated: Emulated
    log: Log
    machine: str
    """The workflow that a config starts."""

    def call(self, function: Any, event: Mapping[str, Any]) -> Any:
        LOGGER.set_correlation_id(None)  # each function is a process of its own
        return function.handler(dict(event), Context())

    def upload(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Upload a config, which is told as the bucket tells of it; return the run it starts."""
        body = json.dumps(document).encode()
        version = self.account.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)["VersionId"]
        found = {"key": KEY, "version-id": version, "sequencer": "01"}
        detail = {"bucket": {"name": BUCKET}, "object": found}
        self.call(configure, {"detail": detail, "time": "2026-01-01T00:00:00Z"})
        (execution,) = self.steps.list_executions(stateMachineArn=self.machine)["executions"]
        told = self.steps.describe_execution(executionArn=execution["executionArn"])
        run: dict[str, Any] = json.loads(told["input"])["run"]
        return run

    def begun(self) -> dict[str, Any]:
        """Upload a config, let its run begin, and return that."""
        run = self.upload(scheduled())
        self.call(begin, {"run": run, "execution": EXECUTION})
        return run

    def fired(self) -> dict[str, Any]:
        """Let the schedules of a config be made, and one fire; return the run of that."""
        self.call(schedule, {"run": self.begun()})
        event = {"group": "movielens", "task": "import", "execution": f"{EXECUTION}-task"}
        run: dict[str, Any] = self.call(fire, event)["run"]
        return run

    @property
    def steps(self) -> Any:
        return boto3.client("stepfunctions", region_name=REGION)


@pytest.fixture
def log() -> Iterator[Log]:
    """Return what functions write to the log, from now on."""
    log, logger = Log(), logging.getLogger(LOGGER.name)
    level = logger.level
    logger.addHandler(log)
    logger.setLevel(logging.INFO)
    yield log
    logger.removeHandler(log)
    logger.setLevel(level)
    LOGGER.set_correlation_id(None)


@pytest.fixture
def functions(
    account: Account, emulated: Emulated, log: Log, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Functions]:
    caches = (clients.client, clients.tables, clients.table)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    boto3.client("scheduler", region_name=REGION).create_schedule_group(Name="group")
    boto3.client("events", region_name=REGION).create_event_bus(Name="bus")
    machine = boto3.client("stepfunctions", region_name=REGION).create_state_machine(
        name="Provisioning", definition="{}", roleArn=SETTINGS["SCHEDULE_ROLE"]
    )["stateMachineArn"]
    monkeypatch.setenv("WORKFLOW", machine)
    for cached in caches:
        cached.cache_clear()
    attach(emulated.service, clients.client("personalize"))
    yield Functions(account, emulated, log, machine)
    for cached in caches:
        cached.cache_clear()


def test_a_config_starts_its_run_and_the_log_says_so(functions: Functions) -> None:
    run = functions.upload(scheduled())
    line = functions.log.line("configured")
    assert (line["key"], line["result"]) == (KEY, {"started": run["id"]})
    assert line["correlation_id"] == run["id"]


def test_a_function_that_lacks_a_setting_says_which(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TURNS_TABLE")
    with pytest.raises(RuntimeError, match="variable TURNS_TABLE is not set"):
        functions.begun()


def test_a_run_begins_and_the_log_says_so(functions: Functions) -> None:
    run = functions.begun()
    line = functions.log.line("begun")
    assert (line["answer"], line["correlation_id"]) == (["work"], run["id"])


def test_a_run_ends_and_the_log_has_its_verdict(functions: Functions) -> None:
    run = functions.begun()
    crash = {"error": "Boom", "cause": "it broke", "resource": "campaign"}
    verdict = functions.call(finish, {"run": run, "execution": EXECUTION, "crashes": [crash]})
    assert verdict["error"] == "Boom"
    line = functions.log.line("finished")
    assert (line["verdict"], line["correlation_id"]) == (verdict, run["id"])
    row = functions.account.turns.recorded("movielens", run["id"])
    assert row is not None
    assert "redriven" not in row, "nobody has redriven it"
    functions.call(finish, {"run": run, "execution": EXECUTION, "redriven": 1})
    row = functions.account.turns.recorded("movielens", run["id"])
    assert row is not None
    assert (row["redriven"], row["status"]) == (1, "SUCCEEDED")


@pytest.mark.parametrize("given", [{}, {"crashes": None}])
def test_a_run_in_which_nothing_broke_down_succeeds(
    functions: Functions, given: dict[str, Any]
) -> None:
    run = functions.begun()
    event = {"run": run, "execution": EXECUTION, **given}
    assert functions.call(finish, event) == {"succeeded": True}


def killed(run: dict[str, Any], status: str, **more: Any) -> dict[str, Any]:
    """Return what Step Functions tells of an execution that ended by no step of its own."""
    given = json.dumps({"run": run})
    return {"detail": {"input": given, "status": status, "executionArn": EXECUTION, **more}}


def test_a_run_that_was_killed_gives_its_turn_back_once_its_functions_cannot_act(
    functions: Functions,
) -> None:
    run = functions.begun()
    verdict = functions.call(bury, killed(run, "ABORTED"))
    told = "Step the workflow: the execution was stopped by somebody"
    assert (verdict["error"], verdict["cause"]) == ("ABORTED", told)
    line = functions.log.line("buried")
    assert (line["verdict"], line["correlation_id"]) == (verdict, run["id"])
    row = functions.account.turns.recorded("movielens", run["id"])
    assert row is not None
    assert "redriven" not in row
    other = Claim("movielens", "other", f"{EXECUTION}-other", "01")
    assert functions.account.turns.take(other, datetime.now(UTC)) == EXECUTION
    assert functions.account.turns.take(other, datetime.now(UTC) + 2 * ACTS) is None


def test_what_step_functions_says_of_a_killed_run_is_told_and_how_often_it_was_redriven(
    functions: Functions,
) -> None:
    run = functions.begun()
    verdict = functions.call(bury, killed(run, "LOST", cause="a fault of ours", redriveCount=1))
    assert verdict["cause"] == "Step the workflow: LOST: a fault of ours"
    row = functions.account.turns.recorded("movielens", run["id"])
    assert row is not None
    assert row["redriven"] == 1


def test_schedules_are_kept_and_the_log_says_how_many(functions: Functions) -> None:
    run = functions.begun()
    assert functions.call(schedule, {"run": run}) == {"failed": False}
    line = functions.log.line("schedules")
    assert (line["scheduled"], line["removed"], line["correlation_id"]) == (2, 0, run["id"])
    name = schedule_name("movielens", "import")
    scheduler = boto3.client("scheduler", region_name=REGION)
    made = scheduler.get_schedule(Name=name, GroupName="group")["Target"]
    assert (made["Arn"], made["RoleArn"]) == (SETTINGS["MACHINE"], SETTINGS["SCHEDULE_ROLE"])
    assert made["DeadLetterConfig"] == {"Arn": SETTINGS["DEAD_LETTERS"]}


@pytest.mark.parametrize(("module", "step"), [(schedule, "Schedules"), (remove, "Remove")])
def test_a_run_that_was_redriven_and_has_no_turn_is_told_instead_of_what_it_would_do(
    functions: Functions, module: Any, step: str
) -> None:
    run = functions.begun()
    functions.account.turns.give_back("movielens", EXECUTION)
    functions.account.turns.take(Claim("movielens", "other", "other", "01"), datetime.now(UTC))
    assert functions.call(module, {"run": run}) == {"failed": False}, "nobody has redriven it"
    answer = functions.call(module, {"run": run, "redriven": 1})
    assert answer["failed"] is True
    assert (answer["crash"]["error"], answer["crash"]["resource"]) == ("TurnLost", step)
    assert "lost its turn in movielens" in answer["crash"]["cause"]


def test_a_task_fires_and_settles_and_the_log_says_so(functions: Functions) -> None:
    run = functions.fired()
    line = functions.log.line("fired")
    assert (line["answer"]["run"], line["correlation_id"]) == (run, "one-task")
    event = {"run": run, "execution": f"{EXECUTION}-task", "result": {"succeeded": True}}
    verdict = functions.call(settle, event)
    assert verdict == {"succeeded": True, "error": ""}
    line = functions.log.line("settled")
    assert (line["verdict"], line["correlation_id"]) == (verdict, run["id"])


def test_a_fire_of_a_schedule_is_known_by_its_moment(functions: Functions) -> None:
    functions.call(schedule, {"run": functions.begun()})
    event = {"group": "movielens", "task": "import", "scheduled": "2026-01-01T03:00:00Z"}
    assert functions.call(fire, {**event, "execution": f"{EXECUTION}-1"})["run"]
    assert (
        "delivered before" in functions.call(fire, {**event, "execution": f"{EXECUTION}-2"})["skip"]
    )


def test_a_resource_is_ensured_and_the_log_has_its_outcome(functions: Functions) -> None:
    run = functions.begun()
    outcome = functions.call(ensure, {"run": run, "resource": "datasetGroup", "given": {}})
    assert (outcome["did"], outcome["noun"]) == ("created", "DatasetGroup")
    line = functions.log.line("ensured")
    assert (line["outcome"], line["correlation_id"]) == (outcome, run["id"])


def test_a_run_is_looked_at_before_and_the_log_has_the_answer(functions: Functions) -> None:
    run = functions.begun()
    answer = functions.call(preflight, {"run": run})
    assert answer == {"refused": False}
    line = functions.log.line("preflight")
    assert (line["answer"], line["correlation_id"]) == (answer, run["id"])


def test_what_the_config_names_no_more_is_looked_for_and_the_log_has_the_answer(
    functions: Functions,
) -> None:
    run = functions.begun()
    answer = functions.call(remove, {"run": run})
    line = functions.log.line("removed")
    assert (line["answer"], line["correlation_id"]) == (answer, run["id"])


def test_what_is_held_is_looked_after_and_the_log_says_how_much(functions: Functions) -> None:
    found = functions.call(tend, {})
    assert found == {"waits": 0, "old": 0}
    line = functions.log.line("tended")
    assert (line["waits"], line["old"]) == (0, 0)
