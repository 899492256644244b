"""Outages: which errors of an AWS service are over some time later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

from mpe.model.errors import Unavailable

SERVER_ERROR, NOT_IMPLEMENTED = 500, 501
"""HTTP statuses from which on the fault is the service's; what it cannot do it never will."""
THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""The error codes that the SDK tries again, for throttles or for want of an answer in time
(https://docs.aws.amazon.com/boto3/latest/guide/retries.html); a test compares them with its."""
FAILED_ENTRIES = frozenset({"InternalException", "InternalFailure"}) | THROTTLES
"""The codes with which a service takes a part of what it is given, in an answer of HTTP 200, and
leaves a part that may be given again
(https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html)."""
NO_ANSWER = (ConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)
"""A connection that breaks or is never made, and an answer that is cut off or no answer."""


def passes(error: BaseException) -> bool:
    """Tell whether an error is one of the service, or of the way there, and no answer to us."""
    if not isinstance(error, ClientError):
        return isinstance(error, (Unavailable, *NO_ANSWER))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if error.response["Error"].get("Code", "") in THROTTLES:
        return True
    return bool(status >= SERVER_ERROR and status != NOT_IMPLEMENTED)


@contextmanager
def outages_pass() -> Iterator[None]:
    """Raise :class:`Unavailable` for what is over some time later, so that a workflow waits."""
    try:
        yield
    except Unavailable:
        raise
    except Exception as error:
        if passes(error):
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        raise
