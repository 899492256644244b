"""Endpoints: where another cloud than AWS's own answers."""

from __future__ import annotations

import re

ENDPOINT = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(\d+))?(?:/[!-~]*)?",
    re.IGNORECASE,
)
LAST_PORT = 65535
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""The names of this machine's own interface."""
NO_ENDPOINT = "{!r} is no endpoint: it must be http://HOST:PORT, or https"


def is_endpoint(url: str) -> bool:
    """Tell whether a client can be pointed at a URL: it has a scheme, a host and, maybe, a port."""
    found = ENDPOINT.fullmatch(url)
    return bool(found and int(found[1] or 0) <= LAST_PORT)
