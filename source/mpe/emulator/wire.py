"""Requests and answers as they go over the wire.

The control plane speaks JSON 1.1, the operation in ``X-Amz-Target``; the runtime speaks
REST with a path per operation.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mpe.model.service.operations import service_model

TARGET = "AmazonPersonalize."
REQUEST_ID = "x-amzn-requestid"


class ServiceError(Exception):
    """An error answer of the service."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Request:
    """One HTTP request, in the scope of an account and a region."""

    method: str
    path: str
    headers: Mapping[str, str]
    """With their names in lower case."""
    body: bytes
    account: str = "000000000000"
    region: str = "us-east-1"

    @property
    def operation(self) -> str:
        """The operation that is called, or an empty string where there is none."""
        target = self.headers.get("x-amz-target", "")
        if target:
            return target.removeprefix(TARGET)
        return _RUNTIME.get((self.method, self.path.rstrip("/") or "/"), "")

    @property
    def runtime(self) -> bool:
        return "x-amz-target" not in self.headers

    @property
    def params(self) -> dict[str, Any]:
        """The parameters; what is not a JSON object is a SerializationException."""
        try:
            params = json.loads(self.body or b"{}")
        except ValueError as error:
            raise ServiceError("SerializationException", str(error)) from None
        if not isinstance(params, dict):
            raise ServiceError("SerializationException", "the body is not an object")
        return params


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


def _runtime_routes() -> dict[tuple[str, str], str]:
    return {
        (operation.http["method"], operation.http["requestUri"].rstrip("/")): name
        for service in ("personalize-runtime", "personalize-events")
        for name in service_model(service).operation_names
        for operation in [service_model(service).operation_model(name)]
    }


_RUNTIME = _runtime_routes()


def answer(result: Mapping[str, Any] | None, *, runtime: bool = False) -> Response:
    """Return a result as the service would send it; the events API sends nothing."""
    own = {REQUEST_ID: str(uuid.uuid4())}
    if result is None:
        return Response(200, {"Content-Length": "0", **own}, b"")
    kind = "application/json" if runtime else "application/x-amz-json-1.1"
    body = json.dumps(result, default=_seconds).encode()
    return Response(200, {"Content-Type": kind, **own}, body)


def error_answer(error: ServiceError, *, runtime: bool = False) -> Response:
    """Return an error as the service would send it."""
    kind = "application/json" if runtime else "application/x-amz-json-1.1"
    body = json.dumps({"__type": error.code, "message": error.message}).encode()
    own = {"x-amzn-errortype": error.code, REQUEST_ID: str(uuid.uuid4())}
    return Response(error.status, {"Content-Type": kind, **own}, body)


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{value!r} cannot be sent")
