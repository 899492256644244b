"""boto3 clients, made when first asked for and kept for the life of the process."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=20,
    user_agent_appid="mpe",
)
"""Throttles and server errors are tried again by the SDK before the workflow hears of them.

So are calls without an answer: botocore would wait for it as long as a function may run.
"""


@cache
def client(service: str) -> Any:
    """Return the process's client of a service."""
    return boto3.client(service, config=CONFIG)


@cache
def table(name: str) -> Any:
    """Return a DynamoDB table by name."""
    return boto3.resource("dynamodb", config=CONFIG).Table(name)
