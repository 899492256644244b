"""The names of jobs: what they are for, and the run that made them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

NAME_LIMIT = 63
"""Characters that the service takes as a name."""
RUN_NAME_LENGTH = 24
"""The length of a run's name: ``20261124T141547-bfcebc31``."""
BASE_LIMIT = NAME_LIMIT - 1 - RUN_NAME_LENGTH
"""How long the part of a job's name before the run's may be."""


def job_name(base: str, run: str) -> str:
    """Name a job after what it is for and its run.

    A name that would be too long is cut, and told apart from others by a digest of it.
    """
    limit = NAME_LIMIT - 1 - len(run)
    if len(base) > limit:
        base = f"{base[: limit - 9]}-{hashlib.sha256(base.encode()).hexdigest()[:8]}"
    return f"{base}-{run}"


def began_of(run: str) -> datetime | None:
    """Return the moment that a run's name begins with, or None of another name."""
    try:
        return datetime.strptime(run[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


EXECUTION_NAME_LIMIT = 80
"""Characters that Step Functions takes as an execution's name."""


def version_digest(bucket: str, key: str, version: str) -> str:
    """Return the end of a run's name: which version of which object began it."""
    return hashlib.sha256(f"{bucket}/{key}/{version}".encode()).hexdigest()[:8]


def execution_name(group: str, run: str) -> str:
    """Name the execution of a run, so that a second one of the same run is refused."""
    return f"{group[: EXECUTION_NAME_LIMIT - 1 - len(run)]}-{run}"
