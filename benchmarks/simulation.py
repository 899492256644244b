"""A whole run in virtual time: the synthesized template, the real handlers, our emulator.

MiniStack lives in this process, without a socket: what boto3 would send goes to it directly.
The stack is deployed through its CloudFormation; a config that is put into the bucket starts
the run through S3's event, the rule, and so on, as in AWS. Lambda functions are called in
this process, each with its own environment. See :mod:`benchmarks.virtual_time` for the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from benchmarks import billed
from benchmarks.virtual_time import VirtualTime, govern
from mpe.assembly.synthesis import Assembly
from mpe.emulator import Durations, MemoryObjects, Quotas
from mpe.emulator.service import Personalize
from mpe.local.deploy import deploy
from mpe.local.ministack import cloudwatch, personalize, process, s3

ACCOUNT, REGION = "000000000000", "us-east-1"
ENVIRONMENT = {
    **process.environment(0, 1.0),
    "AUTH": "false",
    "LOG_LEVEL": "ERROR",
    "AWS_ENDPOINT_URL": "http://127.0.0.1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "INFO",  # as the functions have it, since logs are billed
    "POWERTOOLS_TRACE_DISABLED": "1",
}
STATES = ("pass", "task", "choice", "wait", "parallel", "map")
EVENTS = {"Task": 3, "Map": 2, "Parallel": 2}
"""How many events a state writes to the history besides its being entered and exited
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html)."""


@dataclass(frozen=True)
class Latency:
    """How long what is ours takes, in seconds."""

    invocation: float = 0.0
    transition: float = 0.0


@dataclass(frozen=True)
class Outage:
    """A service that answers every call with a server error, from a moment to another."""

    service: str
    """By the name that requests are signed for."""
    begins: datetime
    ends: datetime

    def hits(self, request: billed.Request, now: datetime) -> bool:
        return request.service == self.service and self.begins <= now < self.ends


@dataclass
class Meter:
    """What one run costs."""

    transitions: Counter[str] = field(default_factory=Counter)
    """By machine."""
    invocations: Counter[str] = field(default_factory=Counter)
    """By handler, and for ``ensure`` by resource type."""
    errors: list[str] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    """Of the history, by execution."""
    largest_state: int = 0
    """The longest input or output of a state, as JSON."""
    largest_row: int = 0
    """Bytes of the longest row that was written to a table, as JSON."""
    seconds: float = 0.0
    """From the upload to the end of the last execution."""
    billed: billed.Counts = field(default_factory=billed.Counts)
    """By the names of prices."""
    metric_hours: set[tuple[str, ...]] = field(default_factory=set)
    """Own metrics, each in each hour from the upload on in which it was measured."""

    def measure(self, value: Any) -> None:
        self.largest_state = max(self.largest_state, len(json.dumps(value).encode()))


class Cloud:
    """MiniStack with the stack deployed, in this process and in virtual time.

    There can be one in a process, since MiniStack keeps its state in its modules.
    """

    def __init__(self, assembly: Assembly, latency: Latency | None = None) -> None:
        os.environ.update(ENVIRONMENT)
        process.check_version()
        self.assembly = assembly
        self.latency = latency or Latency()
        self._ended = datetime.min
        self.meter = Meter()
        self.time = VirtualTime(datetime.now(UTC).replace(microsecond=0))
        self.objects = MemoryObjects()
        self._idle: list[asyncio.AbstractEventLoop] = []
        self._connect()
        self.replace_service()
        self.outages: list[Outage] = []
        self._log = io.StringIO()
        self._called = False
        self._began = self.time.now()
        self._heard: list[dict[str, Any]] = []
        cloudwatch.keep_alarms_of_math()
        self.outputs = deploy(
            self.client, assembly, account=ACCOUNT, region=REGION, parameters={"Email": ""}
        )
        s3.name_versions()
        with contextlib.redirect_stdout(self._log):  # where its logger writes from then on
            importlib.import_module("mpe.handlers.settings")
        govern(self.time)
        self._hook_engine()
        self._hook_lambda()
        self._set_clock()

    def client(self, service: str) -> Any:
        from mpe.aws.clients import client

        return client(service)

    @property
    def bucket(self) -> str:
        return self.outputs["DataBucket"]

    def replace_service(
        self, durations: Durations | None = None, quotas: Quotas | None = None
    ) -> None:
        """Put an Amazon Personalize without any resources in the place of the one before."""
        from tests.conftest import AtOnce

        self.service = Personalize(
            objects=self.objects,
            clock=self.time.now,
            executor=AtOnce(),
            durations=durations,
            quotas=quotas,
        )
        personalize.mount(self.service)

    def put(self, key: str, body: str) -> None:
        self.objects.objects[f"s3://{self.bucket}/{key}"] = body
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body.encode())

    def run(self, group: str, config: Mapping[str, Any]) -> Meter:
        """Upload a config, let everything happen that follows, and return what it cost."""
        self.upload(group, config)
        assert self.status() == "SUCCEEDED", f"the run is {self.status()}: {self.why()}"
        return self.meter

    def upload(
        self, group: str, config: Mapping[str, Any], *outages: tuple[str, float, float]
    ) -> None:
        """Upload a config and let everything happen that follows.

        Meanwhile services have outages, each by its name, from a second after the upload on and
        for so many seconds.
        """
        self.upload_all({group: config}, *outages)

    def upload_all(
        self, configs: Mapping[str, Mapping[str, Any]], *outages: tuple[str, float, float]
    ) -> None:
        """Upload configs at the same moment, each of its group, as :meth:`upload` does one."""
        self.meter = Meter()
        random.seed(0)  # the SDK spreads its retries at random
        self.time.move_to(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2))
        self._began = began = self.time.now()
        self.outages = [
            Outage(service, began + timedelta(seconds=at), began + timedelta(seconds=at + long))
            for service, at, long in outages
        ]

        def put() -> None:
            for group, config in configs.items():
                self.put(f"train/{group}/config.json", json.dumps(config))

        with contextlib.redirect_stdout(self._log):  # the functions' logs and metrics
            self.time.run(put)
        self.meter.seconds = round((self._ended - began).total_seconds(), 3)
        self.outages = []

    def listen(self) -> list[dict[str, Any]]:
        """Return a list that every event which the bus takes from now on is added to."""
        self._heard = []
        return self._heard

    def made(self) -> dict[str, list[Any]]:
        """Return what Amazon Personalize has, by the lists of its types."""
        client = self.client("personalize")
        return {
            "groups": client.list_dataset_groups()["datasetGroups"],
            "datasets": client.list_datasets()["datasets"],
            "imports": client.list_dataset_import_jobs()["datasetImportJobs"],
            "solutions": client.list_solutions()["solutions"],
            "versions": client.list_solution_versions()["solutionVersions"],
            "campaigns": client.list_campaigns()["campaigns"],
            "batch jobs": client.list_batch_inference_jobs()["batchInferenceJobs"],
        }

    def forget_durations(self) -> None:
        """Empty the ledger, as in an account where nothing ever ran."""
        import boto3

        ledger = boto3.resource("dynamodb").Table(self.outputs["LedgerTable"])
        for row in ledger.scan()["Items"]:
            ledger.delete_item(Key={"group": row["group"], "record": row["record"]})

    def status(self) -> str:
        """Return the status of the workflow's newest execution."""
        return str(self._newest()[0]["status"])

    def statuses(self, count: int) -> set[str]:
        """Return the statuses of so many of the workflow's newest executions."""
        return {str(one["status"]) for one in self._newest()[:count]}

    def _newest(self) -> list[dict[str, Any]]:
        found = self.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["Workflow"], maxResults=1000
        )["executions"]
        return sorted(found, key=lambda one: one["startDate"], reverse=True)

    def why(self) -> str:
        """Return what the workflow's newest execution ended with."""
        newest = self._newest()[0]["executionArn"]
        ended = self.client("stepfunctions").describe_execution(executionArn=newest)
        return f"{ended.get('error')} {ended.get('cause')}"

    def _connect(self) -> None:
        """Let boto3 hand its requests to MiniStack in place of the network."""
        import boto3
        import botocore.session

        session = botocore.session.Session()
        session.register("before-send", self._answer)
        boto3.setup_default_session(botocore_session=session)

    def _answer(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        body = body.read() if hasattr(body, "read") else body
        headers = {name: _text(value) for name, value in request.headers.items()}
        sent = billed.Request(request.method, request.url, headers, bytes(body))
        status, headers, answer = self.serve(sent)
        return AWSResponse(request.url, status, headers, Raw(answer))

    def serve(self, request: billed.Request) -> tuple[int, dict[str, str], bytes]:
        """Answer a request of the SDK, and count it where a function sent it."""
        if any(one.hits(request, self.time.now()) for one in self.outages):
            return 503, {}, b""
        loop = self._idle.pop() if self._idle else asyncio.new_event_loop()
        status, headers, answer = loop.run_until_complete(_call(request))
        self._idle.append(loop)
        if self._called:
            self.meter.billed.add(billed.of_request(request, answer))
        if request.operation == "PutItem":
            written = billed.row_bytes(json.loads(request.body))
            self.meter.largest_row = max(self.meter.largest_row, written)
        if request.operation == "PutEvents" and status == 200:
            self._heard += [
                {"detail-type": one["DetailType"], "detail": json.loads(one["Detail"])}
                for one in json.loads(request.body)["Entries"]
            ]
        return status, headers, answer

    def _read_log(self) -> None:
        """Count what a function has written, which is forgotten."""
        text = self._log.getvalue()
        self._log.seek(0)
        self._log.truncate()
        self.meter.billed.add(billed.of_log(text))
        hour = str((self.time.now() - self._began) // timedelta(hours=1))
        self.meter.metric_hours.update((*metric, hour) for metric in billed.measured(text))

    def _set_clock(self) -> None:
        from mpe.aws.clock import Clock

        Clock.now = lambda _: self.time.now()  # type: ignore[method-assign, assignment]

    def _hook_engine(self) -> None:
        """Count every state that is entered, at whatever depth, and every retry."""
        from ministack.services import stepfunctions

        for kind in STATES:
            name = f"_execute_{kind}"
            setattr(stepfunctions, name, self._counted(kind.title(), getattr(stepfunctions, name)))
        add, run = stepfunctions._add_event, stepfunctions._run_execution

        def add_event(execution: dict[str, Any], kind: str, details: Any = None) -> Any:
            if kind in {"SucceedStateEntered", "FailStateEntered"}:
                self._enter(execution["executionArn"], kind)
            return add(execution, kind, details)

        def run_execution(arn: str) -> None:
            self.meter.events[arn] += 2  # it started, and it ended
            _check(stepfunctions._executions[arn], stepfunctions._state_machines)
            run(arn)
            history = json.dumps(stepfunctions._executions[arn]["events"], default=str)
            self.meter.billed.add({**billed.of_log(history), "traces": 1})
            self._ended = self.time.now()

        stepfunctions._add_event, stepfunctions._run_execution = add_event, run_execution
        find = stepfunctions._find_matching_retrier

        def find_retrier(*given: Any) -> Any:
            found = find(*given)
            self.meter.transitions["retries"] += found[0] is not None
            if found[0] is not None:
                self.time.sleep(_beyond_a_minute(found[0], given[2].get(found[1], 0)))
            return found

        stepfunctions._find_matching_retrier = find_retrier

    def _counted(self, kind: str, execute: Any) -> Any:
        def counted(state: dict[str, Any], given: Any, *more: Any) -> Any:
            context = more[-1]
            self._enter(context["Execution"]["Id"], kind)
            self.meter.measure(given)
            output, following = execute(state, given, *more)
            self.meter.measure(output)
            self.meter.measure(context.get("variables", {}))
            self.meter.events[context["Execution"]["Id"]] += _events(kind, state, output)
            return output, following

        return counted

    def _enter(self, execution: str, kind: str) -> None:
        self.meter.transitions[execution.split(":")[6]] += 1
        self.meter.events[execution] += 2 + EVENTS.get(kind, 0)
        self.time.sleep(self.latency.transition)

    def _hook_lambda(self) -> None:
        from ministack.services import lambda_svc

        lambda_svc._execute_function_with_config_scope = self.invoke

    def invoke(self, function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        """Call a function's handler in its own environment, as a warm Lambda would."""
        config = function["config"]
        variables = config.get("Environment", {}).get("Variables", {})
        module = config["Handler"].rpartition(".")[0]
        self.meter.invocations[_called(module, event)] += 1
        self.meter.billed.add(billed.of_invocation(config["MemorySize"], self.latency.invocation))
        if "detail-type" in event:  # else it is of an execution's trace
            self.meter.billed.add({"traces": 1})
        self.time.sleep(self.latency.invocation)
        context = SimpleNamespace(
            function_name=config["FunctionName"],
            memory_limit_in_mb=config["MemorySize"],
            invoked_function_arn=config["FunctionArn"],
            aws_request_id=str(uuid.uuid4()),
            get_remaining_time_in_millis=lambda: 1000 * config["Timeout"],
        )
        os.environ.update(variables)  # read before anything is called, so no other's are seen
        self._called = True
        try:
            answer = self.handle(config, event, context)
        except Exception as error:
            self.meter.errors.append(f"{module}: {type(error).__name__}: {error}")
            body = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"error": True, "body": body}
        finally:
            self._called = False
            self._read_log()
        return {"body": json.loads(json.dumps(answer))}

    def handle(self, config: Mapping[str, Any], event: dict[str, Any], context: Any) -> Any:
        """Call a function's handler in this process."""
        module, _, name = config["Handler"].rpartition(".")
        return getattr(importlib.import_module(module), name)(event, context)

    def call(self, handler: str, event: Mapping[str, Any]) -> Meter:
        """Call the function of a handler as a rule would, and return what it cost."""
        self.meter = Meter()
        self.answer(handler, event)
        return self.meter

    def answer(self, handler: str, event: Mapping[str, Any]) -> Any:
        """Call the function of a handler, of which there is one, and return its answer."""
        from ministack.services import lambda_svc

        name = f"mpe.handlers.{handler}.handler"
        (function,) = (
            one for one in lambda_svc._functions.values() if one["config"]["Handler"] == name
        )
        with contextlib.redirect_stdout(self._log):
            answer = self.time.run(lambda: self.invoke(function, dict(event)))
        assert "error" not in answer, answer
        return answer["body"]


def _beyond_a_minute(retrier: Mapping[str, Any], count: int) -> float:
    """Return the seconds by which Step Functions waits longer than the minute at most of MiniStack.

    It waits at random below the delay, up to ``MaxDelaySeconds``
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
    """
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** count
    return max(0.0, random.uniform(0, min(delay, retrier.get("MaxDelaySeconds", delay))) - 60)


def _events(kind: str, state: Mapping[str, Any], output: Any) -> int:
    """Return how many events more there are: two for an iteration, one for a job's submission."""
    if kind == "Map":
        return 2 * len(output)
    return 1 if ".sync" in state.get("Resource", "") else 0


def _called(module: str, event: Mapping[str, Any]) -> str:
    handler = module.rpartition(".")[2]
    return f"{handler} {event['resource'].partition('.')[0]}" if handler == "ensure" else handler


def _check(execution: Mapping[str, Any], machines: Mapping[str, Any]) -> None:
    """Refuse a definition whose states cannot all be counted: Succeed or Fail in a branch."""
    definition = json.loads(machines[execution["stateMachineArn"]]["definition"])

    def inner(states: Mapping[str, Any], depth: int) -> Iterator[str]:
        for name, state in states.items():
            if depth and state["Type"] in {"Succeed", "Fail"}:
                yield name
            for part in (state.get("ItemProcessor"), *state.get("Branches", ())):
                if part:
                    yield from inner(part["States"], depth + 1)

    uncounted = list(inner(definition["States"], 0))
    assert not uncounted, f"these states would not be counted: {uncounted}"


async def _call(request: billed.Request) -> tuple[int, dict[str, str], bytes]:
    """Make one request of MiniStack's ASGI application."""
    import ministack.app

    parts = urlsplit(request.url)
    scope = {
        "type": "http",
        "method": request.method,
        "path": parts.path or "/",
        "raw_path": (parts.path or "/").encode(),
        "query_string": parts.query.encode(),
        "headers": [(b"host", parts.netloc.encode()), *_encoded(request.headers)],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await ministack.app.app(scope, receive, send)
    start = next(one for one in sent if one["type"] == "http.response.start")
    answered = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    whole = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return start["status"], answered, whole


def _encoded(headers: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers.items():
        yield name.lower().encode(), _text(value).encode("latin-1")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class Raw:
    """A body as botocore reads it from a connection."""

    def __init__(self, body: bytes) -> None:
        self._body = io.BytesIO(body)

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body.read()

    def read(self, *args: Any, **__: Any) -> bytes:
        return self._body.read(*args)
