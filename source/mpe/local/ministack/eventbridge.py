"""EventBridge's rules: how they invoke functions."""

from __future__ import annotations

import json

from mpe.local.ministack.difference import Difference

RETRY_SECONDS = 60
"""How long Lambda waits before it tries an asynchronous invocation again; then twice as long."""


def retry_events(speed: float) -> None:
    """Let functions that a rule invokes be tried again, and their events end as dead letters.

    EventBridge invokes functions asynchronously: Lambda tries an invocation that failed again
    after one minute and after two more, and then sends the event to the function's dead-letter
    queue (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
    MiniStack does so for other asynchronous invocations.
    """
    from ministack.services import eventbridge, lambda_svc

    lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS = RETRY_SECONDS / speed

    def dispatch(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if function and config:
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch


DIFFERENCES = (
    Difference(
        aws="a function that a rule invokes is tried three times; then its dead-letter queue "
        "has the event",
        alone="it is tried once, and the event is lost",
        page="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html",
        test="test_eventbridge.py::test_alone_a_function_that_a_rule_starts_is_tried_once",
        make_good=lambda start: retry_events(start.speed),
    ),
)
