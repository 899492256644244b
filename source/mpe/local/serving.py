"""The local cloud's HTTP: uvicorn, whose parser is machine code.

MiniStack's own server speaks it in Python, which took half of what a request costs. What it does
beside that has no use here: :mod:`mpe.local.cloud` knows the process, and tries another port where
one is taken.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mpe.assembly.processes import STOP_SECONDS
from mpe.local.ministack.http import App, Scope

KEPT_ALIVE = 75
"""Seconds that a connection may rest, as MiniStack's own server has it."""
INVALID = "Invalid HTTP request received."
BODIES = frozenset({b"content-length", b"transfer-encoding"})
"""Headers of a request that has a body."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that turns into WebSockets where asked to, and into nothing else.

    Who offers another protocol, as ``curl --http2`` does, is answered without it
    (https://www.rfc-editor.org/rfc/rfc9110#section-7.8). The parser leaves out the body of a
    request with an offer, so such a request is parsed again without it.
    """

    def data_received(self, data: bytes) -> None:
        """Parse what a client sent."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._declines():
                self._parse_without_offer(data[offer.args[0] :])
            elif self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self.send_400_response(INVALID)
        except httptools.HttpParserError:
            self.send_400_response(INVALID)

    def on_headers_complete(self) -> None:
        """Answer a request, unless it is parsed again."""
        if not self._declines():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body of a request, unless it is parsed again."""
        if not self._declines():
            super().on_message_complete()

    def _declines(self) -> bool:
        offered = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        return bool(offered and not self._should_upgrade())

    def _parse_without_offer(self, rest: bytes) -> None:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % one for one in self.headers if one[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", rest]))


def close_unread(app: App) -> App:
    """Close the connection with an answer to a request whose body was not asked for.

    A client that waits to be asked may send it then or not, and what comes next would be taken for
    it (https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1).
    """

    async def read(scope: Scope, receive: Any, send: Any) -> None:
        asked = False

        async def received() -> Any:
            nonlocal asked
            asked = True
            return await receive()

        async def sent(message: dict[str, Any]) -> None:
            begins = message["type"] == "http.response.start"
            if begins and not asked and any(name in BODIES for name, _ in scope["headers"]):
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, received, sent)

    return read


def listen(app: App, host: str, port: int) -> None:
    """Serve an application at an address until told to stop, which is no failure."""
    _raise_files()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        close_unread(app),
        host=host,
        port=port,
        workers=1,  # whatever WEB_CONCURRENCY says
        loop="asyncio",
        http=Protocol,
        ws="wsproto",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # a client is who it is
        server_header=False,
        date_header=False,  # MiniStack's answers have one
        reset_contextvars=True,  # in which MiniStack keeps who asks
        timeout_keep_alive=KEPT_ALIVE,
        timeout_graceful_shutdown=STOP_SECONDS // 2,
    )


def _raise_files() -> None:
    """Let as many files be open as this process may have, where the system lets it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has no such limit as it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
