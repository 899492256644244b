"""Pages of DynamoDB's answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def pages(ask: Any, **query: Any) -> Iterator[dict[str, Any]]:
    """Yield the items of a query or a scan, page by page."""
    while True:
        page = ask(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
