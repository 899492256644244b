"""One function in a process of its own, as Lambda runs it; :mod:`benchmarks.memory` starts it.

It has nothing on its path but what Lambda has: the functions' code and their libraries. Pickles
come in and go out by the pipes that the arguments name: a call, what the SDK asks for meanwhile and
how that is answered, and what came of the call. Beside what a handler holds there are here, as
there, the certificates that each service's connections are made with.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import ssl
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, BinaryIO


class Raw(io.BytesIO):
    """A body as botocore reads it from a connection."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()

    def read(self, size: int | None = -1, /, **_: Any) -> bytes:
        return super().read(size)


class Function:
    """A handler, and the pipes to who started this process."""

    def __init__(self, comes: BinaryIO, goes: BinaryIO) -> None:
        self._comes, self._goes = comes, goes
        self._certificates: dict[str, ssl.SSLContext] = {}

    def start(self, handler: str) -> None:
        """Do what Lambda does before the first call."""
        os.environ.update(pickle.load(self._comes))
        import boto3
        import botocore.session

        session = botocore.session.Session()
        session.register("before-send", self._asked)
        boto3.setup_default_session(botocore_session=session)
        self._call = importlib.import_module(handler).handler
        self._send("is ready")

    def work(self) -> None:
        """Answer calls, one after the other, until there are no more."""
        from mpe.aws.clock import Clock

        while True:
            try:
                event, now, context = pickle.load(self._comes)
            except EOFError:
                return
            Clock.now = lambda _, now=now: now  # type: ignore[method-assign, misc]
            left = 1000 * context.pop("timeout")
            given = SimpleNamespace(get_remaining_time_in_millis=lambda left=left: left, **context)
            try:
                self._send("answers", self._call(event, given))
            except Exception as error:
                self._send("fails", type(error).__name__, str(error))

    def _send(self, *told: Any) -> None:
        pickle.dump(told, self._goes)
        self._goes.flush()

    def _asked(self, request: Any, **_: Any) -> Any:
        """Have a request answered by who started this process."""
        from botocore.awsrequest import AWSResponse

        headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        self._trust(headers.get("Authorization", "").partition("/aws4_request")[0])
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        body = body.read() if hasattr(body, "read") else body
        self._send("asks", request.method, request.url, headers, bytes(body))
        status, headers, answer = pickle.load(self._comes)
        return AWSResponse(request.url, status, headers, Raw(answer))

    def _trust(self, signed: str) -> None:
        """Load the certificates for a service that is asked for the first time."""
        import botocore

        service = signed.rpartition("/")[2]
        if service not in self._certificates:
            place = os.path.join(os.path.dirname(botocore.__file__), "cacert.pem")
            self._certificates[service] = ssl.create_default_context(cafile=place)


def main(places: str, handler: str, reads: str, writes: str) -> None:
    sys.path[:0] = places.split(os.pathsep)
    with open(int(reads), "rb") as comes, open(int(writes), "wb") as goes:
        function = Function(comes, goes)
        function.start(handler)
        function.work()


if __name__ == "__main__":
    main(*sys.argv[1:])
