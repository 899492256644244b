"""The pieces that workflows are made of, in JSONata.

A step *ensures* one resource: it asks the type's function, waits as long as the answer says,
asks again, and goes on when the answer asks for no more waiting. A resource that fails does
not raise: its branch ends with ``{"failed": true}``, so that siblings go on and a run can
tell of every failure. What a step passes on is small; outcomes are kept in the ledger.

Every state of a piece is named after the resource type, as in "Ensure Campaign".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

RUN = "{% $run %}"
CRASH = {
    "failed": True,
    "error": "{% $states.errorOutput.Error %}",
    "cause": "{% $substring($states.errorOutput.Cause, 0, 2000) %}",
}
"""What is left of a step that the workflow gave up on."""


def invoke(
    scope: Construct,
    title: str,
    function: lambda_.IFunction,
    payload: Mapping[str, Any],
    **options: Any,
) -> tasks.LambdaInvoke:
    """Call a function; try again where it was throttled, killed or broke down.

    Every function may be called again at any point, so a repeated call does no harm.
    """
    task = tasks.LambdaInvoke.jsonata(
        scope,
        title,
        lambda_function=function,
        payload=sfn.TaskInput.from_object(dict(payload)),
        outputs="{% $states.result.Payload %}",
        retry_on_service_exceptions=False,
        **options,
    )
    task.add_retry(
        errors=["States.ALL"],
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_attempts=4,
        max_delay=Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )
    return task


class Ensure(sfn.StateMachineFragment):
    """Ensure one resource, however long it takes.

    ``resource`` is a JSONata expression for its id. The piece ends either ready, with the
    outcome, or at :attr:`failure`, which every caller must lead somewhere.
    """

    def __init__(
        self,
        scope: Construct,
        noun: str,
        *,
        function: lambda_.IFunction,
        resource: str,
        failure: sfn.IChainable,
        given: Mapping[str, str] | None = None,
        assign: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, f"{noun} stage")
        ask = invoke(
            self,
            f"Ensure {noun}",
            function,
            {
                "run": RUN,
                "resource": resource,
                "previous": "{% $states.input %}",
                "given": dict(given or {}),
            },
        )
        ask.add_catch(failure, outputs={**CRASH, "resource": resource})
        wait = sfn.Wait.jsonata(
            self,
            f"Wait for {noun}",
            time=sfn.WaitTime.seconds("{% $states.input.wait %}"),
        )
        self._ready = sfn.Pass.jsonata(self, f"{noun} is ready", assign=dict(assign or {}))
        settled = sfn.Choice.jsonata(self, f"Is {noun} settled?")
        settled.when(sfn.Condition.jsonata("{% $exists($states.input.wait) %}"), wait)
        settled.when(sfn.Condition.jsonata("{% $exists($states.input.failed) %}"), failure)
        settled.otherwise(self._ready)
        wait.next(ask)
        ask.next(settled)
        self._ask = ask

    @property
    def start_state(self) -> sfn.State:
        return self._ask

    @property
    def end_states(self) -> list[sfn.INextable]:
        return [self._ready]


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


def any_failed() -> sfn.Condition:
    """Tell whether any branch of a Map or Parallel, however nested, failed."""
    return sfn.Condition.jsonata("{% true in $states.input.failed %}")
