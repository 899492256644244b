"""Who may come in at the local cloud's one port: programs of this machine, and no web page.

A page of any origin may let the developer's browser send requests to the loopback interface,
without being asked where these are simple (https://fetch.spec.whatwg.org/#cors-safelisted-method);
by DNS rebinding even as its own origin. MiniStack answers all of them, and what it is asked for may
run as a function, which is a process of the developer's. So a request is refused before MiniStack
sees it, at whatever path, where

* its ``Host`` is not the loopback interface's, as programs address it;
* its ``Origin`` or ``Referer`` is another origin than the local cloud's own, be it ``null``;
* its ``Sec-Fetch-Site`` tells that a page of another origin asked for it. Browsers send this with
  requests that have neither of the former, such as an image's (https://www.w3.org/TR/fetch-metadata/).

LocalStack refuses such origins likewise (its pull requests 7904 and 7012). What administers the
local cloud, and what happened in it, also takes the secret of its start. A document that is
answered, such as an object of S3, is no page of the local cloud's own origin: it is sandboxed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from mpe.local.asking import HEADER as SECRET
from mpe.local.ministack.http import App, Scope, answer

ADMINISTRATION = ("/_ministack", "/_mpe", "/_localstack")
"""Where paths of the local cloud itself begin; no bucket's name begins so."""
CAPABILITIES = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
"""Whose paths go on with a secret of their own: what CloudFormation hands to custom resources."""
OURSELVES = ("none", "same-origin")
"""What browsers say of a request that no page, or a page of the same origin, asked for."""
DOCUMENT = [
    (b"content-security-policy", b"sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
]
"""Headers of each answer: what it is to a browser."""


def guard(app: App, *, port: int, secret: str) -> App:
    """Let in what may come in at a port; hide the headers that would let pages read answers."""

    async def guarded(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        refused = refusal(scope, port, secret)
        if refused is None:
            await app(scope, receive, _hidden(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = json.dumps({"message": f"The local cloud refuses this: {refused}."})
            await answer(_hidden(send), 403, "application/json", body.encode())

    return guarded


def refusal(scope: Scope, port: int, secret: str) -> str | None:
    """Return why a request may not come in, or None."""
    hosts = list(_values(scope, "host"))
    if len(hosts) != 1 or not _is_ours(hosts[0], port):
        return "its Host is not the local cloud's"
    if any(origin != f"http://{hosts[0]}" for origin in _origins(scope)):
        return "it comes from a web page of another origin"
    if any(site not in OURSELVES for site in _values(scope, "sec-fetch-site")):
        return "it comes from a web page of another site"
    if _administers(scope["path"]) and not _knows(scope, secret):
        return f"this path takes the secret of this start, in the header {SECRET}"
    return None


def _is_ours(host: str, port: int) -> bool:
    """Tell whether a Host is what a client of the endpoint sends.

    That is the address or ``localhost``, or a name below it, as the SDKs make of a bucket's
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html); no DNS server
    can give such a name to another machine (RFC 6761, section 6.3).
    """
    name, _, found = host.lower().rpartition(":")
    if found != str(port):
        return False
    return name in {"127.0.0.1", "localhost"} or name.endswith(".localhost")


def _origins(scope: Scope) -> Iterator[str]:
    """Yield the origins that a request says it comes from."""
    yield from (value.lower() for value in _values(scope, "origin"))
    for value in _values(scope, "referer"):
        parts = urlsplit(value)
        yield f"{parts.scheme}://{parts.netloc}".lower()


def _administers(path: str) -> bool:
    return path.startswith(ADMINISTRATION) and not path.startswith(CAPABILITIES)


def _knows(scope: Scope, secret: str) -> bool:
    given = list(_values(scope, SECRET))
    return len(given) == 1 and secrets.compare_digest(given[0].encode(), secret.encode())


def _values(scope: Scope, name: str) -> Iterator[str]:
    """Yield all values of a header, which may be there more than once."""
    for found, value in scope["headers"]:
        if found.decode("latin-1").lower() == name:
            yield value.decode("latin-1").strip()


def _hidden(send: Any) -> Any:
    """Take from an answer what would let a page of another origin read it."""

    async def sent(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [one for one in message.get("headers", ()) if not _shows(one[0])]
            message = {**message, "headers": [*kept, *DOCUMENT]}
        await send(message)

    return sent


def _shows(header: bytes) -> bool:
    name = header.lower()
    return name.startswith(b"access-control-") or name in dict(DOCUMENT)
