"""Pages of DynamoDB's answers, its refusals, and numbers as it keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError


def pages(ask: Any, **query: Any) -> Iterator[dict[str, Any]]:
    """Yield the items of a query or a scan, page by page."""
    while True:
        page = ask(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def condition_failed(error: ClientError) -> bool:
    """Tell whether a write was refused since the row is not as its condition says."""
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def stored(value: Any) -> Any:
    """Return a value with its numbers as DynamoDB takes them, however deep they are."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {key: stored(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [stored(one) for one in value]
    return value


def read(value: Any) -> Any:
    """Return a value with its numbers as Python has them: the opposite of :func:`stored`."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: read(one) for key, one in value.items()}
    return [read(one) for one in value] if isinstance(value, list) else value
