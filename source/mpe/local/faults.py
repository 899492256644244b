"""Faults in the calls that functions make of AWS, at the front door of the local cloud.

Functions sign their requests and send the trace id of their invocation along, as in AWS, so
that each request is known to belong to one invocation. An invocation is *watched* when a
label, such as a dataset group's name, is somewhere in its event. The calls of a watched label
are listed in their order, and one of them may go wrong in one of the ways of :class:`Kind`.

What was created may be *not visible yet*: a Describe does not find it, a List lacks the newest.

A fault hits a call with all the attempts that the SDK makes of it: what the SDK overcomes by
itself would prove nothing of the functions. An outage hits all later calls as well.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

PAGE = "/_mpe/faults"
TRACE = "x-amzn-trace-id"
ATTEMPTS_OF = "amz-sdk-invocation-id"
"""The header that all attempts of one call share."""
REST = {
    ("s3", "GET"): "GetObject",
    ("s3", "PUT"): "PutObject",
    ("scheduler", "POST"): "CreateSchedule",
    ("scheduler", "PUT"): "UpdateSchedule",
    ("scheduler", "GET"): "GetSchedule",
    ("scheduler", "DELETE"): "DeleteSchedule",
}
"""The operations of services whose requests do not name them."""


class Kind(StrEnum):
    """How a call goes wrong."""

    THROTTLED = "throttled"
    BROKEN = "server error"
    LOST_ONCE = "answer lost once"
    LOST = "answer lost"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    UNSEEN = "not visible yet"
    OUTAGE = "outage"
    HELD = "held"
    """It reaches the service some seconds late, so that much may happen meanwhile."""


HOLD_SECONDS = 5
"""How late, in real seconds."""
TAKES_EFFECT = {Kind.LOST_ONCE, Kind.LOST, Kind.KILLED_AFTER}
ANSWERS = {
    Kind.THROTTLED: (400, "ThrottlingException", "Rate exceeded"),
    Kind.UNSEEN: (400, "ResourceNotFoundException", "Could not find the resource"),
    Kind.OUTAGE: (503, "ServiceUnavailable", "The service is unavailable"),
    Kind.BROKEN: (500, "InternalServerError", "We encountered an internal error"),
}


@dataclass(frozen=True)
class Call:
    """The so many-th call that a function made of an operation."""

    function: str
    invocation: str
    service: str
    operation: str
    nth: int


@dataclass(frozen=True)
class Fault:
    """Which call shall go wrong, and how; with an outage, that call and all later ones."""

    function: str
    service: str
    operation: str
    nth: int
    kind: Kind

    def is_for(self, call: Call) -> bool:
        named = (call.function, call.service, call.operation)
        if named != (self.function, self.service, self.operation):
            return False
        return call.nth >= self.nth if self.kind is Kind.OUTAGE else call.nth == self.nth


@dataclass
class Watch:
    """What the functions did that worked for a label."""

    fault: Fault | None = None
    began: float = field(default_factory=time.time)
    """What was created before is seen by every List."""
    calls: list[Call] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)
    """The calls, by the id of their attempts, that the fault was for."""
    hits: int = 0


@dataclass(frozen=True)
class Invocation:
    """One invocation of a function that is watched."""

    function: str
    watch: Watch
    kill: Callable[[], None]


class Interference:
    """Watches functions' calls, and lets one go wrong where that was ordered."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._invocations: dict[str, Invocation] = {}
        self._lock = threading.Lock()

    def watch(self, label: str, fault: Fault | None = None) -> None:
        """Watch a label, from now on and with nothing counted yet."""
        with self._lock:
            self._watches[label] = Watch(fault)

    def report(self, label: str) -> dict[str, Any]:
        """Return the calls of a label, and how often its fault was met."""
        with self._lock:
            watch = self._watches.get(label, Watch())
            return {"calls": [asdict(call) for call in watch.calls], "hits": watch.hits}

    @contextmanager
    def invocation(self, function: str, event: Any, kill: Callable[[], None]) -> Any:
        """Follow an invocation; give the trace id that it is known by, or None."""
        watch = self._watch_of(event)
        if watch is None:
            yield None
            return
        trace = f"Root=1-{uuid4().hex[:8]}-{uuid4().hex[:24]};Sampled=1"
        self._invocations[trace] = Invocation(plain(function), watch, kill)
        try:
            yield trace
        finally:
            del self._invocations[trace]

    def _watch_of(self, event: Any) -> Watch | None:
        if not self._watches:
            return None
        text = json.dumps(event)
        with self._lock:
            return next((one for label, one in self._watches.items() if label in text), None)

    def wrap(self, app: App) -> App:
        """Let requests pass, but for those that shall go wrong."""

        async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            if scope["path"] == PAGE:
                await self._page(scope, receive, send)
                return
            headers = {key.decode().lower(): value.decode() for key, value in scope["headers"]}
            followed = self._invocations.get(headers.get(TRACE, ""))
            if followed is None:
                await app(scope, receive, send)
                return
            body = await _body(receive)
            kind = self._meet(followed, headers, scope, body)
            if kind is Kind.UNSEEN and _target(headers).startswith("List"):
                await app(scope, _again(body), Lagging(send, after=followed.watch.began))
                return
            if kind is Kind.HELD:
                await asyncio.sleep(HOLD_SECONDS)
            if kind in {None, Kind.HELD} or kind in TAKES_EFFECT:
                await app(scope, _again(body), _nowhere if kind in TAKES_EFFECT else send)
            if kind in {Kind.KILLED_BEFORE, Kind.KILLED_AFTER}:
                followed.kill()
            if kind in ANSWERS:
                await _refuse(send, headers, *ANSWERS[kind])
            elif kind not in {None, Kind.HELD}:
                await _break_off(send)

        return wrapped

    async def _page(self, scope: Scope, receive: Any, send: Any) -> None:
        """Take an order, ``{label, fault}``, by POST; report on a label by GET."""
        if scope["method"] == "POST":
            order = json.loads(await _body(receive))
            fault = order.get("fault")
            if fault:
                fault = Fault(**{**fault, "kind": Kind(fault["kind"])})
            self.watch(order["label"], fault)
            await _answer(send, 200, "application/json", "{}")
            return
        (label,) = parse_qs(scope["query_string"].decode())["label"]
        await _answer(send, 200, "application/json", json.dumps(self.report(label)))

    def _meet(
        self, followed: Invocation, headers: Mapping[str, str], scope: Scope, body: bytes
    ) -> Kind | None:
        """Count a call and return how it shall go wrong, if it shall."""
        watch, attempts = followed.watch, headers.get(ATTEMPTS_OF, "")
        with self._lock:
            if headers.get("amz-sdk-request", "attempt=1").startswith("attempt=1"):
                call = _call(followed, headers, scope, body, watch.counts)
                watch.calls.append(call)
                if watch.fault and watch.fault.is_for(call):
                    watch.met.add(attempts)
            if watch.fault is None or attempts not in watch.met:
                return None
            watch.hits += 1
            if watch.fault.kind is Kind.LOST_ONCE:
                watch.met.clear()
            return watch.fault.kind


def plain(function: str) -> str:
    """Return a function's name as the template has it: without the stack and the digests."""
    return re.split(r"[0-9A-F]{8}", function.partition("-")[2] or function)[0]


def _call(
    followed: Invocation,
    headers: Mapping[str, str],
    scope: Scope,
    body: bytes,
    counts: Counter[tuple[str, str, str]],
) -> Call:
    service = headers["authorization"].split("Credential=")[1].split("/")[3]
    operation = operation_of(service, headers, scope, body)
    counts[followed.function, service, operation] += 1
    nth = counts[followed.function, service, operation]
    return Call(followed.function, headers[TRACE], service, operation, nth)


def operation_of(service: str, headers: Mapping[str, str], scope: Scope, body: bytes) -> str:
    """Return the operation that a request is for, whichever protocol it has."""
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rpartition(".")[2]
    if b"list-type" in scope["query_string"]:
        return "ListObjectsV2"
    if service == "sns":
        return parse_qs(body.decode())["Action"][0]
    return REST[service, scope["method"]]


def _target(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


class Lagging:
    """Passes an answer on without the newest of what it lists, where that came after a moment."""

    def __init__(self, send: Any, *, after: float) -> None:
        self._send, self._after = send, after
        self._start: dict[str, Any] = {}
        self._body = b""

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            kind = dict(self._start["headers"]).get(b"content-type", b"application/x-amz-json-1.1")
            text = without_newest(self._body, after=self._after)
            await _answer(self._send, self._start["status"], kind.decode(), text)


def without_newest(body: bytes, *, after: float = 0) -> str:
    """Return the answer of a List without the item that was created last, and after some time."""
    answer = json.loads(body)
    for name, items in answer.items():
        if isinstance(items, list) and items:
            newest = max(items, key=lambda one: one.get("creationDateTime", 0))
            if newest.get("creationDateTime", 0) >= after:
                answer[name] = [one for one in items if one is not newest]
    return json.dumps(answer)


async def _body(receive: Any) -> bytes:
    found, more = b"", True
    while more:
        message = await receive()
        found += message.get("body", b"")
        more = message.get("more_body", False)
    return found


def _again(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nowhere(message: Any) -> None:
    """Lose an answer."""


async def _refuse(
    send: Any, headers: Mapping[str, str], status: int, code: str, message: str
) -> None:
    """Answer with an error, as the service's protocol has it."""
    if "x-amz-target" in headers or "/scheduler/" in headers["authorization"]:
        kind, text = "application/x-amz-json-1.0", json.dumps({"__type": code, "message": message})
    elif "/s3/" in headers["authorization"]:
        status, code = (503, "SlowDown") if status == 400 else (status, "InternalError")
        kind, text = "application/xml", f"<Error><Code>{code}</Code></Error>"
    else:
        code = "Throttling" if status == 400 else code
        error = f"<Error><Type>Sender</Type><Code>{code}</Code></Error>"
        kind, text = "text/xml", f"<ErrorResponse>{error}</ErrorResponse>"
    await _answer(send, status, kind, text)


async def _answer(send: Any, status: int, kind: str, text: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def _break_off(send: Any) -> None:
    """Begin an answer and close the connection in the middle of it."""
    headers = [(b"content-length", b"1000"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": False})
