"""What can go wrong with a release, each told with what to do."""

from __future__ import annotations


class ReleaseError(Exception):
    """The release could not be built or uploaded."""
