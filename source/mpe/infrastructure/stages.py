"""The pieces that workflows are made of, in JSONata.

A step *ensures* one resource: it asks the type's function, waits as long as the answer says,
asks again, and goes on when the answer asks for no more waiting. A resource that fails does
not raise: its branch ends with ``{"failed": true}``, so that siblings go on and a run can
tell of every failure. What a step passes on is small; outcomes are kept in the ledger.

A step costs two transitions and three for each wait: what a state needs it reads from the
context object, where other workflows would spend a Pass state to carry it along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from mpe.model.errors import Unavailable

RUN = "{% $states.context.Execution.Input.run %}"
EXECUTION = "{% $states.context.Execution.Id %}"
REDRIVEN = (
    "{% $sum([$states.context.Execution.RedriveCount, $states.context.Execution.Input.redriven]) %}"
)
"""How often somebody has redriven a run, of which each step must know: it goes on where it was, and
comes by no step that asks for its turn. A solution's execution is redriven with that which started
it, or is a new one, which is told
(https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html)."""
ITEM = "$states.context.Map.Item.Value"
"""The item of the innermost Map, as a JSONata path."""
SHORT = 300
"""Characters of a cause: those of 200 solutions have room in a state, which may have 256 KB."""
TOLD = (
    "$all := $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : ''; "
    "$cause := $contains($all, 'Returned payload: ') "
    "? $substringAfter($all, 'Returned payload: ') : $all; "
    "$told := $substring($cause, 0, 1) = '{' and $substring($cause, -1) = '}' "
    "? $parse($cause) : {}; "
)
"""JSONata: what a JSON cause tells. Step Functions has one for a function that raised
(https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html) and for an execution that
failed, of which it is the description, with ``Error`` and ``Cause``, in ``States.TaskFailed``.
That of a function that was killed has it behind some words."""
CRASH = {
    "failed": True,
    "error": f"{{% ({TOLD}$exists($told.ExecutionArn) and $exists($told.Error) "
    "? $told.Error : $states.errorOutput.Error) %}",
    "cause": f"{{% ({TOLD}$substring($exists($told.errorMessage) ? $told.errorMessage "
    ": $exists($told.Cause) ? $told.Cause "
    ": $exists($told.Status) ? 'the execution is ' & $told.Status "
    f": $cause, 0, {SHORT})) %}}",
}
"""What is left of a step that the workflow gave up on: this alone unwraps errors."""
BUSY = ("Lambda.TooManyRequestsException",)
"""Too many functions run at once in the account."""
OUT = (
    Unavailable.__name__,
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)
"""The names of an outage: of a service that a function calls, of Lambda, of the way to it
(https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html)."""
REFUSED = (
    "StepFunctions.ExecutionLimitExceeded",
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.ThrottlingException",
    "StepFunctions.SdkClientException",
)
"""The names of a start that was refused, which is only a matter of time."""
UNNAMED = "StepFunctions.AWSStepFunctionsException"
"""What the service's SDK has for the rest, be it a throttle or AccessDenied."""
DENIED = "$contains($states.input.cause, 'AccessDenied') or "
DENIED += "$contains($states.input.cause, 'not authorized')"
WHEN_BROKEN = 4
"""How often a task is tried again that broke: its function was killed, or has an error."""
NEXT, LAST = 2, 10 * 60
"""Seconds within which a task is tried again at first, and at last: each try takes three of the
25,000 events that Step Functions keeps of an execution."""
WHILE_OUT = 80
"""How often a task is tried again that was refused or met an outage: with waits at random below
:data:`LAST`, for six hours on the average, as a resource waits that Amazon Personalize refuses
(:data:`mpe.handlers.ensure.PATIENCE`)."""
LONGER = 7
"""Seconds by which a start waits longer after each try whose error has no name: as long in all."""


LONGEST = Duration.days(2)
"""When an execution is given up; shorter than its run's lease on the dataset group."""
TO_TELL = Duration.hours(1)
"""What is left of that for a run to tell of an execution that took too long."""
IN_TIME = (
    "{% ($began := $exists($states.context.Execution.RedriveTime) "
    "and $states.context.Execution.RedriveTime "
    "? $states.context.Execution.RedriveTime : $states.context.Execution.StartTime; "
    f"$left := {LONGEST.to_seconds() - TO_TELL.to_seconds():.0f} "
    "- $floor(($toMillis($now()) - $toMillis($began)) / 1000); $max([$left, 1])) %}"
)
"""Seconds that an execution may take which another follows. A redrive starts the time of the other
anew (https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html)."""


def invoke(
    scope: Construct,
    title: str,
    function: lambda_.IFunction,
    payload: Mapping[str, Any],
    *,
    assign: Mapping[str, Any] | None = None,
) -> tasks.LambdaInvoke:
    """Call a function; try again where it was throttled, killed or broke down.

    Every function may be called again at any point, so a repeated call does no harm. Where too
    many run at once in the account, or a service has an outage, it is only a matter of time:
    up to hours. Each kind of error has tries of its own.
    """
    task = tasks.LambdaInvoke.jsonata(
        scope,
        title,
        lambda_function=function,
        payload=sfn.TaskInput.from_object(dict(payload)),
        outputs="{% $states.result.Payload %}",
        assign=dict(assign) if assign else None,
        retry_on_service_exceptions=False,
    )
    _try_again(task, BUSY, WHILE_OUT, LAST)
    _try_again(task, OUT, WHILE_OUT, LAST)
    _try_again(task, ["States.ALL"], WHEN_BROKEN, 60)
    return task


def run_of(
    scope: Construct,
    title: str,
    machine: sfn.IStateMachine,
    given: Mapping[str, Any],
    *,
    otherwise: sfn.IChainable,
    resource: str = "",
) -> tasks.StepFunctionsStartExecution:
    """Start an execution of another machine and follow it to its end.

    ``otherwise`` gets the :data:`CRASH` of one that failed or could not be started, with the
    ``resource`` that it was for. One that would outlast the execution that follows it is stopped
    an hour before, so that there is somebody left who tells of it.

    A start that was refused is tried again: StartExecution has a quota, and is throttled above
    it, which many groups at once reach
    (https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html). An
    execution that failed is not, since its steps have tried again and told why; nor is a start
    that the machine's role does not allow, which only who deploys can mend.
    """
    task = tasks.StepFunctionsStartExecution.jsonata(
        scope,
        title,
        state_machine=machine,
        integration_pattern=sfn.IntegrationPattern.RUN_JOB,
        associate_with_parent=True,
        task_timeout=sfn.Timeout.jsonata(IN_TIME),
        input=sfn.TaskInput.from_object(dict(given)),
        outputs="{% $states.result.Output %}",
    )
    _try_again(task, REFUSED, WHILE_OUT, LAST)
    crash = {**CRASH, "resource": resource} if resource else CRASH
    tries = "{% ($exists($states.input.tries) ? $states.input.tries : 0) + 1 %}"
    denied = sfn.Choice.jsonata(scope, f"May {title} start?")
    for_good = f"{{% {DENIED} or $states.input.tries >= {WHILE_OUT} %}}"
    denied.when(sfn.Condition.jsonata(for_good), otherwise)
    pause = sfn.Wait.jsonata(
        scope,
        f"Wait to start {title}",
        time=sfn.WaitTime.seconds(f"{{% {LONGER} * $states.input.tries %}}"),
    )
    denied.otherwise(pause.next(task))
    task.add_catch(denied, errors=[UNNAMED], outputs={**crash, "tries": tries})
    task.add_catch(otherwise, outputs=dict(crash))
    return task


def _try_again(task: sfn.TaskStateBase, errors: Sequence[str], times: int, most: int) -> None:
    """Try a task again after some errors, ever more patiently, up to so many seconds apart."""
    task.add_retry(
        errors=list(errors),
        interval=Duration.seconds(NEXT),
        backoff_rate=2,
        max_attempts=times,
        max_delay=Duration.seconds(most),
        jitter_strategy=sfn.JitterType.FULL,
    )


def wait_as_told(scope: Construct, title: str) -> sfn.Wait:
    """Wait as many seconds as the answer before says."""
    return sfn.Wait.jsonata(scope, title, time=sfn.WaitTime.seconds("{% $states.input.wait %}"))


def asks_to_wait() -> sfn.Condition:
    return sfn.Condition.jsonata("{% $exists($states.input.wait) %}")


def ensure(
    scope: Construct,
    noun: str,
    *,
    function: lambda_.IFunction,
    resource: str,
    then: sfn.IChainable,
    otherwise: sfn.IChainable,
    given: Mapping[str, str] | None = None,
) -> sfn.State:
    """Ensure one resource, however long it takes: ``then`` when it is ready.

    ``resource`` is a JSONata expression for its id. ``otherwise`` gets the outcome of a
    resource that failed, or the :data:`CRASH` of a step that broke down.
    """
    ask = invoke(
        scope,
        f"Ensure {noun}",
        function,
        {
            "run": RUN,
            "resource": f"{{% {resource} %}}",
            "previous": "{% $states.input %}",
            "given": dict(given or {}),
            "redriven": REDRIVEN,
        },
    )
    ask.add_catch(otherwise, outputs={**CRASH, "resource": f"{{% {resource} %}}"})
    settled = sfn.Choice.jsonata(scope, f"Is {noun} settled?")
    settled.when(asks_to_wait(), wait_as_told(scope, f"Wait for {noun}").next(ask))
    settled.when(sfn.Condition.jsonata("{% $exists($states.input.failed) %}"), otherwise)
    settled.otherwise(then)
    ask.next(settled)
    return ask


def each(scope: Construct, title: str, items: str, step: sfn.IChainable) -> sfn.Map:
    """Take a step for each item of a JSONata list, side by side."""
    every = sfn.Map.jsonata(scope, title, items=sfn.ProvideItems.jsonata(f"{{% {items} %}}"))
    every.item_processor(step)
    return every


def failed(scope: Construct, title: str) -> sfn.Pass:
    """End a branch that failed: only what :func:`any_failed` and the report need goes on."""
    return sfn.Pass.jsonata(
        scope,
        title,
        outputs={
            "failed": True,
            "crash": "{% $exists($states.input.cause) ? $states.input : {} %}",
        },
    )


def done(scope: Construct, title: str) -> sfn.Pass:
    """End a branch in which all went well."""
    return sfn.Pass.jsonata(scope, title, outputs={"failed": False})


def any_failed(of: str = "$states.input") -> sfn.Condition:
    """Tell whether any branch of a Map or Parallel, however nested, failed."""
    return sfn.Condition.jsonata(f"{{% true in {of}.failed %}}")


def side_by_side(scope: Construct, title: str, branches: Sequence[sfn.IChainable]) -> sfn.Parallel:
    """Take all branches at the same time."""
    together = sfn.Parallel.jsonata(scope, title)
    together.branch(*branches)
    return together
