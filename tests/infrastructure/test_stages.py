"""What is left of an error in a workflow: its own words, unwrapped and short.

The causes are in the form of what AWS sent: the first is an event of December 2024 that a public
error handler is tried with (``monitor.messages.from_event``), with its names and words replaced;
LocalStack's tests that were validated against AWS have the same form
(localstack/localstack, tests/aws/services/stepfunctions/v2/services).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mpe.infrastructure.stages import CRASH, DENIED, IN_TIME, LONGEST, REDRIVEN, SHORT
from tests.conftest import ROOT

MOST = 262_144
"""Bytes of a state (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

GOLDEN = ROOT / "tests" / "golden"


def evaluated(expression: Any, **states: Any) -> Any:
    """Evaluate what a state puts out, with the engine of the local cloud."""
    from ministack.services import stepfunctions

    if not isinstance(expression, str):
        return expression
    text = expression.removeprefix("{%").removesuffix("%}").strip()
    return stepfunctions._evaluate_jsonata(
        text, states.get("given"), states.get("context"), error_output=states.get("error")
    )


def left(error: str, cause: str | None) -> tuple[str, str]:
    output = {"Error": error} | ({} if cause is None else {"Cause": cause})
    return tuple(evaluated(CRASH[name], error=output) for name in ("error", "cause"))


def described(**told: Any) -> str:
    """Return a cause as Step Functions writes it."""
    name = "16b05321-9cdf-4027-bc86-170d90311048"
    rest = {
        "ExecutionArn": f"arn:aws:states:eu-central-1:111111111111:execution:Load-prod:{name}",
        "Input": json.dumps({"job_id": "1", "more": "x" * 3000}),
        "InputDetails": {"Included": True},
        "Name": name,
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE",
        "StartDate": 1733089875458,
        "StateMachineArn": "arn:aws:states:eu-central-1:111111111111:stateMachine:Load-prod",
        "Status": "FAILED",
        "StopDate": 1733092939260,
    }
    return json.dumps({**told, **rest, **told}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        pytest.param(
            "States.TaskFailed",
            described(Cause='the "recipe"\ndiffers', Error="DriftError"),
            ("DriftError", 'the "recipe"\ndiffers'),
            id="an-execution-that-failed",
        ),
        pytest.param(
            "States.TaskFailed",
            described(Error="States.Timeout", Status="TIMED_OUT"),
            ("States.Timeout", "the execution is TIMED_OUT"),
            id="an-execution-that-took-too-long",
        ),
        pytest.param(
            "States.TaskFailed",
            described(Status="ABORTED"),
            ("States.TaskFailed", "the execution is ABORTED"),
            id="an-execution-that-was-stopped",
        ),
        pytest.param(
            "KeyError",
            json.dumps({"errorMessage": "'a'", "errorType": "KeyError", "stackTrace": ["x" * 999]}),
            ("KeyError", "'a'"),
            id="a-function-that-raised",
        ),
        pytest.param(
            "Lambda.Unknown",
            "The cause could not be determined because Lambda did not return an error type. "
            'Returned payload: {"errorMessage":"2024-12-01T22:42:19.181Z Task timed out after '
            '900.01 seconds"}',
            ("Lambda.Unknown", "2024-12-01T22:42:19.181Z Task timed out after 900.01 seconds"),
            id="a-function-that-was-killed",
        ),
        pytest.param("E", "in plain words", ("E", "in plain words"), id="words"),
        pytest.param("E", "{not JSON", ("E", "{not JSON"), id="what-only-looks-like-it"),
        pytest.param("States.Timeout", None, ("States.Timeout", ""), id="no-cause"),
    ],
)
def test_an_error_is_left_in_its_own_words(
    error: str, cause: str | None, expected: tuple[str, str]
) -> None:
    assert left(error, cause) == expected


@pytest.mark.parametrize("letter", ["x", "\u6620"], ids=["ascii", "chinese"])
def test_what_is_left_of_200_solutions_that_fail_has_room_in_a_state(letter: str) -> None:
    cause = described(Cause=letter * 5000, Error="StepFunctions.AWSStepFunctionsException")
    error, short = left("States.TaskFailed", cause)
    assert len(short) == SHORT
    crash = {"failed": True, "error": error, "cause": short, "resource": "solution." + "n" * 63}
    branches = [{"failed": True, "crash": crash}] * 200
    state = {"group": "g", "branches": [[branches]]}
    assert len(json.dumps(state, ensure_ascii=False).encode()) < MOST


@pytest.mark.parametrize(
    ("cause", "denied"),
    [
        (
            "User: arn:aws:sts::111111111111:assumed-role/r/x is not authorized to perform: "
            "states:StartExecution on resource: arn:aws:states:us-east-1:111111111111:"
            "stateMachine:m because no identity-based policy allows the states:StartExecution "
            "action (Service: AWSStepFunctions; Status Code: 400; Error Code: "
            "AccessDeniedException; Request ID: 1; Proxy: null)",
            True,
        ),
        (
            "Rate exceeded (Service: AWSStepFunctions; Status Code: 400; Error Code: "
            "ThrottlingException; Request ID: 1; Proxy: null)",
            False,
        ),
    ],
    ids=["denied", "throttled"],
)
def test_a_start_that_is_denied_is_told_from_one_that_is_throttled(
    cause: str, denied: bool
) -> None:
    """The service's SDK has one name for both."""
    short = left("StepFunctions.AWSStepFunctionsException", cause)[1]
    assert evaluated(DENIED, error={}, given={"cause": short}) is denied


@pytest.mark.parametrize(
    ("own", "given", "times"),
    [
        ({"RedriveCount": 0}, {}, 0),
        ({"RedriveCount": 2}, {}, 2),
        ({}, {}, 0),
        ({"RedriveCount": 0}, {"redriven": 1}, 1),
        ({"RedriveCount": 1}, {"redriven": 1}, 2),
    ],
)
def test_a_step_knows_how_often_its_run_was_redriven(
    own: dict[str, Any], given: dict[str, Any], times: int
) -> None:
    """The context object has the count, of an execution that was never redriven as well.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    context = {"Execution": {"Id": "x", "Input": {"run": {}, **given}, **own}}
    assert evaluated(REDRIVEN, context=context) == times


def tasks(name: str) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a workflow, however deep in it."""

    def inside(states: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for state in states.values():
            if state["Type"] == "Task":
                yield state
            for part in [*state.get("Branches", ()), state.get("ItemProcessor", {"States": {}})]:
                yield from inside(part["States"])

    yield from inside(json.loads((GOLDEN / f"{name}.asl.json").read_text())["States"])


READS_ALONE = "<Preflight>"
"""What changes nothing needs no turn; the step after it asks for that."""


@pytest.mark.parametrize("name", ["Provisioning", "Solution"])
def test_every_step_of_a_run_is_told_that_it_is_redriven(name: str) -> None:
    """A redrive goes on where a run was stopped, which may be at any step."""
    found = list(tasks(name))
    assert found
    for task in found:
        given = task["Arguments"]
        if given.get("FunctionName") == READS_ALONE:
            continue
        assert (given.get("Payload") or given["Input"])["redriven"] == REDRIVEN


@pytest.mark.parametrize("name", ["Provisioning", "ScheduledTask"])
def test_what_a_workflow_follows_ends_before_it_does(name: str) -> None:
    (following,) = [one for one in tasks(name) if "startExecution" in one["Resource"]]
    assert following["TimeoutSeconds"] == IN_TIME
    assert "TimeoutSecondsPath" not in following
    whole = json.loads((GOLDEN / f"{name}.asl.json").read_text())["TimeoutSeconds"]
    assert whole == LONGEST.to_seconds()
    now = datetime.now(UTC)
    for hours in (0, 1, 30, 46.9, 47.5):
        left = seconds_left(now - timedelta(hours=hours))
        assert left >= 1
        assert left + hours * 3600 < whole


def test_a_redrive_starts_the_time_anew() -> None:
    now = datetime.now(UTC)
    left = seconds_left(now - timedelta(days=9), redriven=now - timedelta(hours=1))
    assert left > LONGEST.to_seconds() - 3 * 3600


def seconds_left(began: datetime, redriven: datetime | None = None) -> float:
    execution = {"StartTime": written(began)} | (
        {"RedriveTime": written(redriven)} if redriven else {}
    )
    return float(evaluated(IN_TIME, context={"Execution": execution}))


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
