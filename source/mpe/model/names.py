"""The names of jobs: what they are for, and the run that made them."""

from __future__ import annotations

import hashlib

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
