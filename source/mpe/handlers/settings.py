"""What the stack tells its functions through environment variables."""

from __future__ import annotations

import os

from aws_lambda_powertools import Logger

LOGGER = Logger(service="mpe", use_rfc3339=True)


def setting(name: str) -> str:
    """Return a required setting, or say which one the stack failed to give."""
    try:
        return os.environ[name]
    except KeyError:
        raise RuntimeError(f"the environment variable {name} is not set") from None
