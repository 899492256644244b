"""Amazon Personalize, emulated in memory.

Requests are validated against botocore's own service model; statuses pass with the time;
import jobs read the CSVs, training makes a real (small) model of them, and metrics come from
evaluating it. What is not emulated says so.

Nothing here listens: :class:`mpe.emulator.service.Personalize` takes requests and gives answers.
The local cloud mounts it in an HTTP server, and tests attach it to a boto3 client. It is not
imported here, since whoever only says what it shall be like would wait for NumPy and SciPy.
"""

from mpe.emulator.authorization import Authorization, authorizations
from mpe.emulator.faults import Faults
from mpe.emulator.objects import (
    KeyDenied,
    MemoryObjects,
    MetricsDenied,
    Objects,
    ObjectsDenied,
    ObjectsMissing,
)
from mpe.emulator.settings import Durations, FakeClock, Quotas
from mpe.emulator.wire import Request, Response

__all__ = [
    "Authorization",
    "Durations",
    "FakeClock",
    "Faults",
    "KeyDenied",
    "MemoryObjects",
    "MetricsDenied",
    "Objects",
    "ObjectsDenied",
    "ObjectsMissing",
    "Quotas",
    "Request",
    "Response",
    "authorizations",
]
