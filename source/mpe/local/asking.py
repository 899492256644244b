"""Ask a local cloud's own pages: what a command needs to know of one that runs."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

HEADER = "x-mpe-secret"
"""The header with the secret of a local cloud's start (:mod:`mpe.local.door`)."""
HEALTH_SECONDS = 5
"""How long the server may take to answer that it is alive."""


def page(
    port: int, path: str, secret: str, *, order: Any = None, seconds: float = HEALTH_SECONDS
) -> Any:
    """Return a page of JSON that the server has beside AWS's; raise OSError or ValueError.

    ``secret`` is that of the server's start. An ``order`` is sent as JSON, by POST.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if order is None else json.dumps(order).encode()
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data=body, headers={HEADER: secret})
    with opener.open(request, timeout=seconds) as answer:
        return json.loads(answer.read())
