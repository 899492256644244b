"""Clients that moto answers, each made once: making one takes as long as many calls.

They keep nothing of an account, which is moto's and begins anew with each ``mock_aws``. Who
listens to a client's events has one of their own, since they would be heard by all later tests.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

OF_MOTO: Any = {
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
    "config": Config(ignore_configured_endpoint_urls=True),
}
"""What does not depend on the test that happens to be the first."""


@cache
def client(service: str) -> Any:
    """Return the client of a service."""
    return _unheard(own(service))


def own(service: str) -> Any:
    """Return a client of a service that nobody else has."""
    return boto3.client(service, **OF_MOTO)


@cache
def tables() -> Any:
    """Return the resource of DynamoDB."""
    made = own_tables()
    _unheard(made.meta.client)
    return made


def own_tables() -> Any:
    """Return a resource of DynamoDB that nobody else has."""
    return boto3.resource("dynamodb", **OF_MOTO)


def _unheard(made: Any) -> Any:
    """Let nobody listen but the SDK itself, which says who it is and does so once."""
    events = made.meta.events

    def only_once(register: Any) -> Any:
        def once(event: str, handler: Any, unique_id: str | None = None, **more: Any) -> None:
            if unique_id is None:
                raise AssertionError(f"who listens to {event} needs a client of their own: own()")
            register(event, handler, unique_id, **more)

        return once

    for name in ("register", "register_first", "register_last", "unregister"):
        setattr(events, name, only_once(getattr(events, name)))
    return made
