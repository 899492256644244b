"""Events that a run puts on the bus besides those of its resources' states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from mpe.aws.events import EventsError, ResourceEventSink
from mpe.aws.outages import passes
from mpe.handlers.settings import LOGGER


@dataclass(frozen=True)
class News:
    """Put events that no resource may fail for.

    What the bus may take some time later is raised, so that the work waits for it as for other
    outages; what it refuses for good is an error in the log, and the work goes on.
    """

    events: ResourceEventSink

    def put(self, kind: str, detail: Mapping[str, Any]) -> bool:
        """Put one event, and return whether the bus took it, or raise what passes."""
        return _told(kind, lambda: self.events.put(kind, detail))

    def resource_changed(self, noun: str, arn: str, status: str, duration: float | None) -> bool:
        """Do so with an event of a resource's state."""
        return _told(arn, lambda: self.events.resource_changed(noun, arn, status, duration))


def _told(what: str, tell: Callable[[], object]) -> bool:
    try:
        tell()
    except (ClientError, EventsError) as error:
        if passes(error):
            raise
        LOGGER.error("not told", extra={"event": what, "error": str(error)})
        return False
    return True
