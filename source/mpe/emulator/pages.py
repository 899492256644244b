"""Pages of lists."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mpe.emulator.wire import ServiceError

MOST = 100


def paged(items: Iterable[Any], params: Mapping[str, Any]) -> tuple[list[Any], str | None]:
    """Return the page that a request asks for, and the token of the next."""
    items = list(items)
    start = _start(params.get("nextToken"))
    end = start + params.get("maxResults", MOST)
    token = base64.b64encode(json.dumps(end).encode()).decode() if end < len(items) else None
    return items[start:end], token


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(json.loads(base64.b64decode(token, validate=True)))
    except (ValueError, TypeError):
        raise ServiceError("InvalidNextTokenException", "The next token is not valid.") from None
