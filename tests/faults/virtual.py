"""A stack in virtual time whose functions' calls can go wrong: hundreds of lives in minutes.

The template as it is deployed, the real handlers, Step Functions' own walk through the real
workflow, our emulator: see :mod:`benchmarks.simulation`. What a life meets is a list of strikes,
each of which decides for itself what becomes of the calls that it is for.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.scenarios import WARM
from benchmarks.simulation import ACCOUNT, REGION, Cloud, Raw

from mpe.assembly.synthesis import Assembly
from mpe.emulator import Durations, Quotas
from mpe.local.faults import ATTEMPTS_OF, operation_of, plain
from mpe.model.plan import forms
from tests.faults.oracle import Facts, rows, snapshot
from tests.local.one_of_each import changed, files, first

PHASES = ("provision", "task", "change")
AGAIN = (60.0, 120.0)
"""Seconds before Lambda tries an asynchronous invocation again
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)."""
SHORT = 40.0
"""Seconds that each kind of work of the service takes: looks are what a life costs."""
MUCH = 100_000
LEFT_OUT = ("metricAttribution", "dataDeletionJob", "recommenders")
"""Sections of the config of ``make faults`` that a life here does without, to be short."""


class Died(BaseException):
    """The process of a function ended, in the middle of a call."""

    def __init__(self, error: str, after: float = 0.0) -> None:
        super().__init__(error)
        self.error, self.after = error, after


class Ended(Exception):
    """An execution was stopped, or took too long: its branches go on no more."""


@dataclass(frozen=True)
class Spot:
    """The so many-th call that a function makes of an operation, in a phase."""

    function: str
    service: str
    operation: str
    nth: int

    def __str__(self) -> str:
        return f"{self.function} {self.operation} #{self.nth}"

    @property
    def changes(self) -> bool:
        return not self.operation.startswith(("Get", "Describe", "Head", "List", "Query"))


@dataclass(frozen=True)
class Made:
    """A call as it is made, of which there may be several attempts."""

    spot: Spot
    invocation: str
    request: Any
    go: Callable[[], Any]
    """Makes the request and returns its answer."""

    @property
    def body(self) -> bytes:
        return _bytes(self.request.body)


class Strike:
    """Something that goes wrong; it decides which calls it is for, and what becomes of them."""

    hits: int = 0

    def meets(self, made: Made) -> bool:
        raise NotImplementedError

    def answer(self, cloud: Disturbed, made: Made) -> Any:
        raise NotImplementedError


@dataclass
class At(Strike):
    """A strike at one call, and with ``lasting`` at all later ones of the operation as well."""

    spot: Spot
    act: Callable[[Disturbed, Made], Any]
    lasting: bool = False
    once: bool = False
    """Only the first attempt of the SDK meets it."""
    hits: int = 0

    def meets(self, made: Made) -> bool:
        this, that = made.spot, self.spot
        same = (this.function, this.operation) == (that.function, that.operation)
        if self.once and self.hits:
            return False
        return same and (this.nth >= that.nth if self.lasting else this.nth == that.nth)

    def answer(self, cloud: Disturbed, made: Made) -> Any:
        self.hits += 1
        return self.act(cloud, made)


class Disturbed(Cloud):
    """The cloud, with what its functions' calls meet, and what people were told."""

    region, account = REGION, ACCOUNT

    def __init__(self, assembly: Assembly) -> None:
        self._inside = threading.local()
        self.skew = timedelta()
        """How far the functions' clock goes ahead."""
        self.delivered: list[tuple[str, str]] = []
        """What rules have started functions with."""
        self._definitions: dict[str, str] = {}
        self.strikes: Sequence[Strike] = ()
        self.spots: list[Spot] = []
        self.spots_of_phase: list[Spot] = []
        self.told: list[Facts] = []
        self.dead: list[str] = []
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._known: dict[str, Spot] = {}
        super().__init__(assembly, WARM)
        self._deliver_as_lambda_does()
        self._end_as_step_functions_does()

    def service_anew(self) -> None:
        """Put a service without resources in the place of the one before, with quotas enough."""
        durations = Durations()
        for kind in durations.create:
            durations.create[kind] = SHORT if durations.create[kind] else 0
        many = dict.fromkeys(
            ("dataset_groups", "schemas", "importing", "training", "batch_jobs"), MUCH
        )
        self.replace_service(durations, Quotas(**many))

    def begin(self, strikes: Sequence[Strike] = ()) -> None:
        """Count calls anew, and let them meet strikes."""
        self.strikes, self.spots = strikes, []
        self._counts.clear()
        self._known.clear()

    def mend(self, group: str) -> None:
        """Deploy this release again where another is, and take a lease from who is nobody."""
        if forms.Form.marked is not MARKED:
            self.deploy(newer=False)
        row = rows(self, "TurnsTable", group, "LEASE").get("LEASE", {})
        if row.get("holder") == NOBODY:
            key = {"group": {"S": group}, "record": {"S": "LEASE"}}
            self.client("dynamodb").delete_item(TableName=self.outputs["TurnsTable"], Key=key)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Make calls in the name of somebody else than the function that runs."""
        before, self._inside.now = getattr(self._inside, "now", None), None
        try:
            yield
        finally:
            self._inside.now = before

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Make calls as what is called so, which strikes may meet."""
        self._inside.now = (name, uuid.uuid4().hex)
        try:
            yield
        finally:
            self._inside.now = None

    def answered_to(self, request: Any) -> Any:
        """Answer a request of a client that has a session of its own."""
        return self._answer(request)

    def _answer(self, request: Any, **more: Any) -> Any:
        now = getattr(self._inside, "now", None)
        if now is None:
            with self.calm():
                return super()._answer(request, **more)

        def go() -> Any:
            answer = super(Disturbed, self)._answer(request, **more)
            self._listen(request, answer)
            return answer

        made = self._made(request, *now, go)
        for strike in self.strikes:
            if strike.meets(made):
                return strike.answer(self, made)
        return go()

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Make calls that no outage hits: those of people and of the oracle."""
        outages, self.outages = getattr(self, "outages", []), []
        try:
            yield
        finally:
            self.outages = outages

    def _made(self, request: Any, function: str, invocation: str, go: Callable[[], Any]) -> Made:
        headers = {key.lower(): _text(value) for key, value in request.headers.items()}
        attempts = headers.get(ATTEMPTS_OF, uuid.uuid4().hex)
        if attempts not in self._known:
            service = headers["authorization"].split("Credential=")[1].split("/")[3]
            scope = {"method": request.method, "query_string": urlsplit(request.url).query.encode()}
            found = Made(Spot("", "", "", 0), "", request, go)
            operation = _operation(service, headers, scope, found.body)
            self._counts[function, service, operation] += 1
            nth = self._counts[function, service, operation]
            spot = self._known[attempts] = Spot(function, service, operation, nth)
            self.spots.append(spot)
        return Made(self._known[attempts], invocation, request, go)

    def _listen(self, request: Any, answer: Any) -> None:
        """Keep what people are told, once SNS has taken it."""
        text = _bytes(request.body).decode(errors="replace")
        if text.startswith("Action=Publish&") and answer.status_code == 200:
            message = json.loads(parse_qs(text)["Message"][0])
            self.told.append(json.loads(message["email-json"]))

    def invoke(self, function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        before = getattr(self._inside, "now", None)
        name = plain(function["config"]["FunctionName"])
        self._inside.now = (name, uuid.uuid4().hex)
        try:
            return super().invoke(function, event)
        except Died as death:
            self.time.sleep(death.after)
            body = {"errorType": death.error, "errorMessage": f"Error: {death.error}"}
            return {"error": True, "body": body}
        finally:
            self._inside.now = before

    def _counted(self, kind: str, execute: Any) -> Any:
        """Let an execution that was ended come to no further state, in none of its branches."""
        from ministack.services import stepfunctions

        counted = super()._counted(kind, execute)

        def counted_while_it_runs(state: dict[str, Any], given: Any, *more: Any) -> Any:
            execution = stepfunctions._executions[more[-1]["Execution"]["Id"]]
            if execution["status"] != "RUNNING":
                raise Ended
            return counted(state, given, *more)

        return counted_while_it_runs

    def _end_as_step_functions_does(self) -> None:
        """Leave the status of an execution that was ended as it is: MiniStack has it fail then."""
        from ministack.services import stepfunctions

        fail = stepfunctions._fail_execution

        def fail_execution(execution: dict[str, Any], *why: Any) -> None:
            if execution["status"] == "RUNNING":
                fail(execution, *why)

        stepfunctions._fail_execution = fail_execution

    def _deliver_as_lambda_does(self) -> None:
        """Let what a rule starts be tried three times, and end as a dead letter."""
        from ministack.services import eventbridge, lambda_svc

        def dispatch(arn: str, payload: str) -> None:
            self.delivered.append((arn, payload))
            function, config, _ = lambda_svc._get_func_record_for_ref(arn)
            record = lambda_svc._execution_record_for_config(function, config)
            event = json.loads(payload)

            def deliver() -> None:
                for wait in (*AGAIN, None):
                    if not self.invoke(record, event).get("error"):
                        return
                    if wait is not None:
                        self.time.sleep(wait)
                self.dead.append(payload)

            self.time.start(deliver)

        self.deliver = eventbridge._dispatch_to_lambda = dispatch

    def _set_clock(self) -> None:
        from mpe.aws.clock import Clock

        Clock.now = lambda _: self.time.now() + self.skew  # type: ignore[method-assign, assignment]

    def deploy(self, *, newer: bool) -> None:
        """Replace the code of all functions and the workflows, as a deployment does.

        Functions begin anew with the new code; those that run go on with the old, and so do
        executions with their workflow
        (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-read-consistency.html). The
        newer release writes one field more into each document, row and payload, and has one state
        more in each workflow.
        """
        forms.Form.marked = _marked_by_newer if newer else MARKED  # type: ignore[method-assign]
        for name in [one for one in sys.modules if one.startswith(("mpe.handlers", "mpe.aws"))]:
            del sys.modules[name]
        self._set_clock()
        states = self.client("stepfunctions")
        for one in states.list_state_machines()["stateMachines"]:
            arn = one["stateMachineArn"]
            known = states.describe_state_machine(stateMachineArn=arn)["definition"]
            old = self._definitions.setdefault(arn, known)
            definition = _with_a_state_more(old) if newer else old
            states.update_state_machine(stateMachineArn=arn, definition=definition)


NOBODY = "another"
"""Who has a lease that was taken from a run."""
MARKED = forms.Form.marked
NEWER = {"version": 99, "needs": 0, "release": "9.0.0"}
"""The mark of a newer release that a former one may read."""


def _marked_by_newer(form: forms.Form, values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "alien": {"from": "9.0.0"}, forms.MARK: NEWER}


def _with_a_state_more(definition: str) -> str:
    found = json.loads(definition)
    first_state = {"Type": "Pass", "Next": found["StartAt"]}
    states = {"Deployed anew": first_state, **found["States"]}
    return json.dumps({**found, "StartAt": "Deployed anew", "States": states})


def _bytes(body: Any) -> bytes:
    """Return a body that is not a file, as S3's are, in which nobody looks."""
    return (
        body.encode() if isinstance(body, str) else bytes(body if isinstance(body, bytes) else b"")
    )


def _operation(service: str, headers: Any, scope: dict[str, Any], body: bytes) -> str:
    """Return the operation of a request, also of those that only the command line makes."""
    if service in {"cloudformation", "sts", "iam"}:
        return parse_qs(body.decode())["Action"][0]
    if service == "s3" and scope["method"] == "POST":
        return "DeleteObjects" if b"delete" in scope["query_string"] else "PostObject"
    others = {"HEAD": "HeadObject", "DELETE": "DeleteObject"}
    if service == "s3" and scope["method"] in others:
        return others[scope["method"]]
    return operation_of(service, headers, scope, body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def refusal(made: Made, status: int, code: str, message: str) -> Any:
    """Return an error in the words of the service's protocol."""
    from botocore.awsrequest import AWSResponse

    if made.spot.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    elif made.spot.service == "sns":
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{error}</ErrorResponse>"
    else:
        body = json.dumps({"__type": code, "message": message})
    headers = {"x-amzn-errortype": code, "content-type": "application/x-amz-json-1.1"}
    return AWSResponse(made.request.url, status, headers, Raw(body.encode()))


def answered(made: Made, document: Any) -> Any:
    """Return an answer with HTTP 200."""
    from botocore.awsrequest import AWSResponse

    body = json.dumps(document).encode()
    return AWSResponse(made.request.url, 200, {"content-type": "application/json"}, Raw(body))


def config(group: str) -> dict[str, Any]:
    """Return the first config of a life: each stage that a short one can have."""
    return _short(first(group))


def next_config(group: str) -> dict[str, Any]:
    """Return the second: a campaign differs, a filter is new, a task is gone."""
    document = _short(changed(group))
    document["filters"].append(
        {
            "serviceConfig": {
                "name": f"{group}-dear",
                "filterExpression": "INCLUDE ItemID WHERE Items.PRICE > 20",
            }
        }
    )
    return document


def _short(document: dict[str, Any]) -> dict[str, Any]:
    short = {key: value for key, value in document.items() if key not in LEFT_OUT}
    short["datasets"]["interactions"].pop("export")
    for solution in short["solutions"]:
        for campaign in solution.get("campaigns", ()):  # named, so that runs set it right
            campaign["serviceConfig"].setdefault("minProvisionedTPS", 1)
    return {**short, "solutions": short["solutions"][1:]}


@dataclass
class Life:
    """One dataset group, from phase to phase."""

    cloud: Disturbed
    group: str
    _runs: set[str] = field(default_factory=set)
    due: str = ""
    """The moment that the next fire is for, where it is Scheduler's."""
    undone: int = 0
    """What somebody could not change by hand, since it was not there or was busy."""
    _fired: str = ""
    _told: int = 0
    _lost: int = 0

    def live(
        self,
        phase: str,
        strikes: Sequence[Strike] = (),
        after: Callable[[Disturbed, Life], None] | None = None,
    ) -> bool:
        """Live through a phase and what happens after it, and return whether it went well."""
        self._mark()
        self.cloud.begin(strikes)
        went_well = self._during(getattr(self, f"_{phase}"))
        self.cloud.spots_of_phase = list(self.cloud.spots)
        if after:
            self.quietly(lambda: after(self.cloud, self))
        self.cloud.begin()
        return went_well

    def again(self, phase: str) -> bool:
        """Upload again what was uploaded last, and fire again what was fired."""
        self._mark()
        went_well = self._during(self._change if phase == "change" else self._provision)
        return self.live("task") if phase == "task" and went_well else went_well

    @property
    def mails(self) -> list[Facts]:
        """What people were told of the group, in all."""
        return [one for one in self.cloud.told if one.get("DatasetGroup") == self.group]

    @property
    def undelivered(self) -> list[Facts]:
        """What they would have been told, and is in the dead-letter queue, whose alarm tells."""
        details = (json.loads(one)["detail"] for one in self.cloud.dead)
        return [one for one in details if one.get("DatasetGroup") == self.group]

    @property
    def news(self) -> list[Facts]:
        """What they were told in this phase."""
        return self.mails[self._told :]

    @property
    def alarm(self) -> str:
        """Say which alarm rings of the phase's task, or that somebody stopped it who knows."""
        if not self._fired:
            return ""
        told = self.cloud.client("stepfunctions").describe_execution(executionArn=self._fired)
        words = {"FAILED": "alarm", "TIMED_OUT": "alarm", "ABORTED": "stopped by who knows"}
        return words.get(told["status"], "")

    @property
    def dead_letters(self) -> list[str]:
        return [one for one in self.cloud.dead if self.group in one][self._lost :]

    def runs(self) -> dict[str, dict[str, Any]]:
        return rows(self.cloud, "TurnsTable", self.group, "RUN#")

    def new(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the runs of this phase."""
        return {key: row for key, row in self.runs().items() if key not in self._runs}

    def snapshot(self) -> dict[str, Any]:
        return snapshot(self.cloud, self.group, [*self.mails, *self.undelivered])

    def _mark(self) -> None:
        self._runs, self._told, self._fired = set(self.runs()), len(self.mails), ""
        self._lost = len([one for one in self.cloud.dead if self.group in one])

    def _during(self, phase: Callable[[], bool]) -> bool:
        self.quietly(phase)
        statuses = [row.get("status") for row in self.new().values()]
        return bool(statuses) and set(statuses) == {"SUCCEEDED"} and not self.dead_letters

    def quietly(self, work: Callable[[], Any]) -> None:
        """Do something, and let everything come to its end; without the functions' logs."""
        with contextlib.redirect_stdout(io.StringIO()):
            self.cloud.time.run(work)

    def _provision(self) -> bool:
        if not self.runs():
            for key, body in files(self.group).items():
                self.cloud.put(key, body)
        return self._upload(config(self.group))

    def _change(self) -> bool:
        return self._upload(next_config(self.group))

    def _task(self) -> bool:
        self.fire(**({"scheduled": self.due} if self.due else {}))
        return True

    def fire(self, **more: str) -> str:
        given = {"group": self.group, "task": f"full.{self.group}-popular", **more}
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.cloud.outputs["TaskWorkflow"], input=json.dumps(given)
        )
        self._fired = str(started["executionArn"])
        return self._fired

    def _upload(self, document: Mapping[str, Any]) -> bool:
        self.cloud.put(f"train/{self.group}/config.json", json.dumps(document))
        return True
