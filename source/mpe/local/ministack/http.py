"""The wire: plain HTTP on the loopback interface, which must count as TLS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mpe.local.ministack.difference import Difference

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


def secure(app: App) -> App:
    """Let every request count as one over TLS.

    Else policies that ask for ``aws:SecureTransport`` could not be met. The asset bucket of
    ``cdk bootstrap`` has one, and ``cdk deploy`` would end with "exists, but we dont have
    access to it".
    """

    async def secured(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            header = (b"x-forwarded-proto", b"https")
            scope = {**scope, "headers": [*scope["headers"], header]}
        await app(scope, receive, send)

    return secured


def wrap(wrapper: Callable[[App], App]) -> None:
    """Let MiniStack's application be another one around it."""
    import ministack.app

    ministack.app.app = wrapper(ministack.app.app)


async def answer(send: Any, status: int, kind: str, body: bytes) -> None:
    """Send a whole answer of a media type."""
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


DIFFERENCES = (
    Difference(
        aws="requests come over TLS, as `aws:SecureTransport` asks for",
        alone="plain HTTP does not count as such",
        page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport",
        test="test_http.py::test_alone_a_bucket_that_asks_for_tls_cannot_be_used",
        make_good=lambda start: wrap(secure),
    ),
)
