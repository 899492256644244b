"""A stack in memory for the commands: its tables and bucket by moto, the service emulated.

What is uploaded is handled by the stack's own functions, one after another in the order of the
work, as the workflow would call them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Pointer
from mpe.aws.personalize import Personalize
from mpe.aws.schedules import Schedules, Target
from mpe.aws.tasks import Tasks
from mpe.aws.turns import Claim, Turns
from mpe.cli.account import KEY_PARAMETER
from mpe.cli.main import mpe
from mpe.emulator import Durations, MemoryObjects, Request
from mpe.emulator.service import Personalize as Service
from mpe.handlers.configure import Configure, Upload
from mpe.handlers.ensure import Ensure, Step
from mpe.handlers.finish import Finish
from mpe.handlers.preflight import Preflight
from mpe.handlers.remove import Remove
from mpe.handlers.schedule import Synchronize
from mpe.model.plan.desired import DELETE, Desired, Place
from mpe.model.plan.outcome import Outcome
from tests import clients
from tests.cli.test_stack import DESCRIBED, KEYS, REGION, TABLES
from tests.conftest import AtOnce, served
from tests.handlers.measured import Measured
from tests.handlers.test_ensure import Heard
from tests.local.conftest import CSV, small

BUCKET = "data"
ACCOUNT = "000000000000"
STACK = "PersonalizedExperiences"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service"
SPEED = 1e6
"""How many of the service's seconds pass in one."""
DURATIONS = Durations(first_training=60 * SPEED)
"""The service trains a new solution by itself in a real minute: not before a run has come to it."""
OUTPUTS = {
    "DataBucket": BUCKET,
    "PersonalizeRole": ROLE,
    "ScheduleGroup": "tasks",
    "Workflow": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Provision",
    **{name: name for name in TABLES},
}


class _Bucket(MemoryObjects):
    """The data bucket of moto, as the emulated service reads it."""

    def keys(self, url: str, **_: Any) -> list[str]:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        found = clients.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [f"s3://{bucket}/{one['Key']}" for one in found.get("Contents", ())]

    def read(self, url: str, **_: Any) -> Iterator[bytes]:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        yield clients.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


@dataclass
class _Started:
    """Step Functions in memory."""

    runs: dict[str, Any] = field(default_factory=dict)

    def start(self, _: str, name: str, given: Any) -> bool:
        new = name not in self.runs
        self.runs.setdefault(name, given)
        return new


@dataclass
class Bus(Heard):
    """The bus in memory."""

    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def put(self, kind: str, detail: Any) -> None:
        self.told.append((kind, json.loads(json.dumps(detail, default=str))))


class Maintained:
    """The stack, and who uses it."""

    def __init__(self, service: Service, tmp_path: Path) -> None:
        self.service, self.folder = service, tmp_path
        self.parameters: dict[str, str] = {}
        self.clock = Clock(SPEED)
        self.s3 = clients.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        database = clients.tables()
        for name in TABLES:
            database.create_table(TableName=name, **KEYS)
        self.turns = Turns(database.Table("TurnsTable"))
        self.tasks = Tasks(database.Table("TasksTable"))
        self.ledger = Ledger(database.Table("LedgerTable"))
        scheduler = clients.client("scheduler")
        scheduler.create_schedule_group(Name="tasks")
        self.schedules = Schedules(scheduler, "tasks")
        self.personalize = boto3.client("personalize")
        self.bus, self.started = Bus(), _Started()
        self.objects = Objects(self.s3)

    def mpe(self, *words: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(mpe, words)

    def config(self, document: dict[str, Any], name: str = "config.json") -> str:
        """Write a config to a file, and return its path."""
        path = self.folder / name
        path.write_text(json.dumps(document))
        return str(path)

    def put(self, key: str, body: str) -> str:
        """Put an object, and return its version."""
        version: str = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())["VersionId"]
        return version

    def maintain(self, **more: Any) -> dict[str, Any]:
        """Maintain the dataset group films, and return its config."""
        document = {**small("films"), **more}
        self.put("train/films/interactions.csv", CSV)
        told = self.upload(document, "train/films/config.json")
        assert told["Status"] == "SUCCEEDED", told
        return document

    def upload(self, document: dict[str, Any], key: str) -> dict[str, Any]:
        """Upload a config, and return what its run told, or its rejection."""
        version = self.put(key, json.dumps(document))
        configure = Configure(
            self.objects,
            self.turns,
            self.started,  # type: ignore[arg-type]
            self.bus,
            Measured(),
            Place(
                REGION,
                ACCOUNT,
                BUCKET,
                ROLE,
                stack=STACK,
                kms_key_arn=self.parameters.get(KEY_PARAMETER, ""),
            ),
            "machine",
        )
        count = len(self.started.runs)
        moment = datetime.now(UTC)
        configure(Upload(BUCKET, key, version, f"{count:032X}", moment))
        if len(self.started.runs) > count:
            self._run(list(self.started.runs.values())[-1]["run"])
        return self.bus.told[-1][1]

    def preflight(self, run: dict[str, Any]) -> dict[str, Any]:
        """Look ahead at a run, as the workflow does before it begins."""
        service = Personalize(self.personalize)
        return Preflight(service, self.objects, self.ledger, self.clock, STACK)(run)

    def _run(self, run: dict[str, Any]) -> None:
        group, execution = run["group"], f"execution-{run['id']}"
        claim = Claim(group, run["id"], execution, run["sequencer"])
        assert self.turns.take(claim, self.clock.now()) is None
        self.turns.record(group, run["id"], {"status": "RUNNING", "execution": execution})
        if not self.preflight(run)["refused"]:
            self._provision(run)
        Finish(self.turns, self.ledger, self.bus, Measured(), self.clock, STACK)(run, execution, [])

    def _provision(self, run: dict[str, Any]) -> None:
        state = self.objects.load_state(Pointer(**run["state"]))
        given: dict[str, str] = {}
        for one in state.resources.values():
            if one.given:
                one = replace(
                    one, params={**one.params, "solutionVersionArn": given[str(one.parent)]}
                )
            outcome = self._follow(run["id"], state.group, one)
            if outcome.failed:
                return
            if one.noun == "SolutionVersion":
                given[str(one.parent)] = str(outcome.arn)
        target = Target("arn:aws:lambda:us-east-1:1:function:f", ROLE, "arn:aws:sqs:us-east-1:1:q")
        synchronize = Synchronize(
            self.objects,
            self.tasks,
            self.schedules,
            target,
            self.turns,
            self.ledger,
            self.clock,
        )
        synchronize(run)
        if state.on_removal == DELETE:
            self._remove(run)

    def _remove(self, run: dict[str, Any]) -> None:
        remove = Remove(
            Personalize(self.personalize),
            self.objects,
            self.ledger,
            self.turns,
            self.clock,
            STACK,
        )
        while "wait" in remove(run):
            time.sleep(1 / SPEED)

    def _follow(self, run: str, group: str, desired: Desired) -> Outcome:
        ensure = Ensure(
            Personalize(self.personalize),
            self.objects,
            self.ledger,
            self.turns,
            self.bus,
            Measured(),
            self.clock,
        )
        outcome = ensure(Step(run, group, desired, Outcome.of(desired)))
        while outcome.wait is not None:
            time.sleep(outcome.wait / SPEED)
            outcome = ensure(Step(run, group, desired, outcome))
        return outcome


@contextmanager
def maintained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maintained]:
    """Have a stack, at whose endpoints the commands are answered."""
    service = Service(objects=_Bucket(), executor=AtOnce(), speed=SPEED, durations=DURATIONS)

    class Endpoint(BaseHTTPRequestHandler):
        """CloudFormation as far as a stack's outputs need it, and Amazon Personalize."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if "x-amz-target" in headers:
                answer = service.handle(Request("POST", self.path, headers, body))
                status, content, more = answer.status, answer.body, answer.headers
            else:
                asked = dict(parse_qsl(body.decode())).get("StackName", STACK)
                status, content = _described(asked, made.parameters)
                more: Mapping[str, str] = {}
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with served(Endpoint) as endpoint, mock_aws():
        for name in ("CLOUDFORMATION", "PERSONALIZE"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", endpoint)
        made = Maintained(service, tmp_path)
        yield made


STACKS = frozenset({STACK, "Other"})
"""The stacks that are there."""


def _described(name: str, parameters: Mapping[str, str]) -> tuple[int, bytes]:
    """Return how CloudFormation describes a stack, or that there is none, with the HTTP status."""
    if name not in STACKS:
        told = f"Stack with id {name} does not exist"
        error = f"<Type>Sender</Type><Code>ValidationError</Code><Message>{told}</Message>"
        return 400, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()
    outputs = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in OUTPUTS.items()
    )
    given = "".join(
        f"<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>"
        for key, value in parameters.items()
    )
    told = DESCRIBED.strip().format(
        name=name,
        status="CREATE_COMPLETE",
        outputs=outputs,
        parameters=given,
    )
    return 200, told.encode()
