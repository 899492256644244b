"""What AWS bills of what a function does: its requests, its time, its log and its metrics.

Each is counted by the name of its price in ``benchmarks/prices.json``.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
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
Counts = Counter[str]


def of_invocation(megabytes: int, seconds: float) -> Counts:
    """Return what an invocation is billed as, but for the trace, which a run has one of."""
    return Counter(
        lambda_requests=1,
        lambda_gb_seconds=megabytes / KB * seconds,
        log_gigabytes=PLATFORM / 1e9,
    )


def of_request(
    service: str, method: str, url: str, target: str, body: bytes, answer: bytes
) -> Counts:
    """Return what a request of a function is billed as."""
    operation = target.rpartition(".")[2]
    if service == "dynamodb":
        return _of_table(operation, json.loads(body), len(answer))
    if service == "s3":
        return _of_bucket(method, url)
    if service == "events" and operation == "PutEvents":
        sizes = [len(json.dumps(one)) for one in json.loads(body)["Entries"]]
        return Counter(events=sum(_units(size, EVENT) for size in sizes))
    return Counter(notifications=1, mails=1) if b"Action=Publish" in body else Counter()


def _of_table(operation: str, asked: Mapping[str, Any], answered: int) -> Counts:
    """Return a table's units, by the JSON of its rows, which is longer than the rows are."""
    if operation in {"GetItem", "Query", "Scan"}:
        units = _units(answered, READ)
        return Counter(dynamodb_reads=units if asked.get("ConsistentRead") else units / 2)
    return Counter(dynamodb_writes=_units(max(row_bytes(asked), answered), WRITE))


def row_bytes(asked: Mapping[str, Any]) -> int:
    """Return how long what is written to a table is, as JSON."""
    return len(json.dumps(asked.get("Item", asked)))


def _units(size: int, each: int) -> int:
    return max(1, math.ceil(size / each))


def _of_bucket(method: str, url: str) -> Counts:
    """Return a request of S3, of which lists cost what writes do, and deletions nothing."""
    if method == "DELETE":
        return Counter()
    reads = method in {"GET", "HEAD"} and "list-type=" not in url
    return Counter(s3_reads=1) if reads else Counter(s3_writes=1)


def of_log(text: str) -> Counts:
    """Return what is billed of what a function wrote."""
    return Counter(log_gigabytes=len(text.encode()) / 1e9)


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
