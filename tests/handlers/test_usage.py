"""Reports of use are sent as JSON, and what goes wrong with that harms nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from mpe.handlers import usage
from tests.handlers.test_functions import Log
from tests.handlers.test_functions import log as log
from tests.model.test_usage import DETAIL


class Listener(HTTPServer):
    """Somewhere to report to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.got: list[Any] = []
        self.kinds: list[str] = []
        self.status = 200
        self.late = self.greets = False
        self.heard = threading.Event()
        """Set once who reports has gone on, which a late answer waits for, though not for ever."""


class Answer(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        self.server.kinds.append(self.headers["Content-Type"])
        if self.server.late:
            self.server.heard.wait(3)
        if self.server.greets:
            self.wfile.write(b"220 mail.example.com\r\n")
            return
        with suppress(BrokenPipeError):
            self.send_response(self.server.status)
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    monkeypatch.setenv("ENDPOINT", f"http://127.0.0.1:{listener.server_port}/")
    monkeypatch.setenv("VERSION", "1.2.3")
    monkeypatch.setenv("INSTALLATION", "id")


def sent() -> dict[str, Any]:
    return usage.handler({"detail": DETAIL}, None)  # type: ignore[arg-type]


def test_a_run_is_reported(listener: Listener) -> None:
    assert sent() == {"sent": True}
    (report,) = listener.got
    assert report["Data"]["Status"] == "FAILED"
    assert (report["Version"], listener.kinds) == ("1.2.3", ["application/json"])


def test_an_endpoint_that_refuses_harms_nothing_and_is_noted(listener: Listener, log: Log) -> None:
    listener.status = 500
    assert sent() == {"sent": False}
    assert "500" in log.line("not reported")["error"]


def test_an_endpoint_that_does_not_answer_is_not_waited_for_until_the_function_ends(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "SECONDS", 0.05)
    listener.late = True
    assert sent() == {"sent": False}
    listener.heard.set()


def test_an_endpoint_that_does_not_speak_http_harms_nothing_and_is_noted(
    listener: Listener, log: Log
) -> None:
    listener.greets = True
    assert sent() == {"sent": False}
    assert "220 mail" in log.line("not reported")["error"]


def test_an_endpoint_that_is_not_there_harms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:  # so that nobody comes to listen there
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ENDPOINT", f"http://127.0.0.1:{bound.getsockname()[1]}/")
        assert sent() == {"sent": False}
