"""boto3 clients, made when first asked for and kept for the life of the process."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 3},
    connect_timeout=5,
    read_timeout=10,
    user_agent_appid="mpe",
)
"""Throttles and server errors are tried again by the SDK before the workflow hears of them.

So are calls without an answer, all tries of which end before the function's time does: botocore
would wait for an answer as long as a function may run, and be killed for it.
"""
BRIEF = CONFIG.merge(Config(retries={"mode": "standard", "max_attempts": 2}, read_timeout=20))
"""For Amazon Personalize: the SDK takes a quota that is used up for a throttle and would try
again in vain for many seconds, while the workflow can wait at no cost
(https://docs.aws.amazon.com/boto3/latest/guide/retries.html)."""
BESIDE = CONFIG.merge(Config(retries={"mode": "standard", "max_attempts": 2}, read_timeout=5))
"""For the event bus: what cannot be told now is told later, within a call that does other work."""
PROBING = CONFIG.merge(Config(retries={"mode": "standard", "max_attempts": 1}, read_timeout=5))
"""For a campaign that is asked: one try more, since one that fails counts against its version,
and no third, since how it answers is what is looked for."""
CONFIGS = {"personalize": BRIEF, "events": BESIDE, "personalize-runtime": PROBING}


@cache
def client(service: str) -> Any:
    """Return the process's client of a service."""
    return boto3.client(service, config=CONFIGS.get(service, CONFIG))


@cache
def tables() -> Any:
    """Return the process's resource of DynamoDB."""
    return boto3.resource("dynamodb", config=CONFIG)


@cache
def table(name: str) -> Any:
    """Return a DynamoDB table by name."""
    return tables().Table(name)


def made_in_init(*services: str) -> None:
    """Make clients while Lambda starts a function, so that its first call need not.

    A call's time is limited and billed, and a function has a share of a processor for it
    (https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html). Elsewhere, as in tests, a
    client is made when it is first asked for.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for service in services:
            tables() if service == "dynamodb" else client(service)
