"""What AWS bills of what a function does: its requests, its time, its log and its metrics.

Each is counted by the name of its price in ``benchmarks/prices.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KB = 1024
WRITE, READ = KB, 4 * KB
"""Bytes of a row in one unit of DynamoDB
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html)."""
EVENT = 64 * KB
"""Bytes of what is billed as one event of a bus."""
PLATFORM = 400
"""Bytes of what Lambda itself logs of an invocation: its start, its end and a report with a trace
(https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html)."""


class Counts(dict[str, float]):
    """How much there is of each, by the names of prices."""

    def add(self, more: Mapping[str, float]) -> None:
        for name, count in more.items():
            self[name] = self.get(name, 0) + count


@dataclass(frozen=True)
class Request:
    """What the SDK sends."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """The name that it is signed for, or nothing where it is not."""
        signed = self.headers.get("Authorization", "")
        return signed.partition("/aws4_request")[0].rpartition("/")[2]

    @property
    def operation(self) -> str:
        """What it asks for, where a header says so."""
        return self.headers.get("X-Amz-Target", "").rpartition(".")[2]


def of_invocation(megabytes: int, seconds: float) -> dict[str, float]:
    """Return what an invocation is billed as, but for the trace, which a run has one of."""
    return {
        "lambda_requests": 1,
        "lambda_gb_seconds": megabytes / KB * seconds,
        "log_gigabytes": PLATFORM / 1e9,
    }


def of_request(request: Request, answer: bytes) -> dict[str, float]:
    """Return what a request of a function is billed as."""
    if request.service == "dynamodb":
        return _of_table(request.operation, json.loads(request.body), len(answer))
    if request.service == "s3":
        return _of_bucket(request.method, request.url)
    if request.operation == "PutEvents":
        sizes = [len(json.dumps(one)) for one in json.loads(request.body)["Entries"]]
        return {"events": sum(_units(size, EVENT) for size in sizes)}
    published = request.service == "sns" and b"Action=Publish" in request.body
    return {"notifications": 1, "mails": 1} if published else {}


def _of_table(operation: str, asked: Mapping[str, Any], answered: int) -> dict[str, float]:
    """Return a table's units, by the JSON of its rows, which is longer than the rows are."""
    if operation in {"GetItem", "Query", "Scan"}:
        units = _units(answered, READ)
        return {"dynamodb_reads": units if asked.get("ConsistentRead") else units / 2}
    return {"dynamodb_writes": _units(max(row_bytes(asked), answered), WRITE)}


def row_bytes(asked: Mapping[str, Any]) -> int:
    """Return how long what is written to a table is, as JSON."""
    return len(json.dumps(asked.get("Item", asked)))


def _units(size: int, each: int) -> int:
    return max(1, math.ceil(size / each))


def _of_bucket(method: str, url: str) -> dict[str, float]:
    """Return a request of S3, of which lists cost what writes do, and deletions nothing."""
    if method == "DELETE":
        return {}
    reads = method in {"GET", "HEAD"} and "list-type=" not in url
    return {"s3_reads": 1} if reads else {"s3_writes": 1}


def of_log(text: str) -> dict[str, float]:
    """Return what is billed of what a function wrote."""
    return {"log_gigabytes": len(text.encode()) / 1e9}


def measured(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the metrics in what a function wrote, each by its name and its dimensions."""
    for line in text.splitlines():
        if '"_aws"' not in line:
            continue
        told = json.loads(line)
        for one in told["_aws"]["CloudWatchMetrics"]:
            for dimensions in one["Dimensions"]:
                values = tuple(str(told[dimension]) for dimension in dimensions)
                for metric in one["Metrics"]:
                    yield one["Namespace"], metric["Name"], *values
