"""The event bus: what happened, for whoever subscribes.

Resource events have the AWS solution's source, ``solutions.aws.personalize``, the detail-type
``Personalize <Resource> State Change`` and the detail ``{Arn, Status, Duration}`` with the duration
in seconds. The resource stands in words, ``Dataset Import Job``, as in AWS's own events
(https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html); no
public page of that solution prints an event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from mpe.aws.outages import FAILED_ENTRIES
from mpe.model.errors import Unavailable

SOURCE = "solutions.aws.personalize"
RUN_CHANGED = "Maintenance Run State Change"
RUN_WAITS = "Maintenance Run Waits"
CONFIG_REJECTED = "Configuration Rejected"


class EventsError(Exception):
    """The bus did not take an event."""


class EventSink(Protocol):
    """What takes events, as :class:`Events` does."""

    def put(self, kind: str, detail: Mapping[str, Any]) -> object: ...


class ResourceEventSink(EventSink, Protocol):
    """What takes also what became of resources."""

    def resource_changed(
        self, noun: str, arn: str, status: str, duration: float | None
    ) -> object: ...


class Events:
    """Put events on one bus through a boto3 ``events`` client."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def resource_changed(self, noun: str, arn: str, status: str, duration: float | None) -> None:
        """Tell that a resource of Amazon Personalize changed its status."""
        detail: dict[str, Any] = {"Arn": arn, "Status": status}
        if duration is not None:
            detail["Duration"] = round(duration)
        words = re.sub("(?<=[a-z])(?=[A-Z])", " ", noun)
        self.put(f"Personalize {words} State Change", detail, resources=(arn,))

    def put(self, kind: str, detail: Mapping[str, Any], resources: tuple[str, ...] = ()) -> None:
        """Put one event on the bus, or raise :class:`EventsError`.

        The bus answers HTTP 200 also where it took nothing; what it may take a while later raises
        :class:`Unavailable`.
        """
        answer = self._client.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": kind,
                    "Detail": json.dumps(detail),
                    "EventBusName": self._bus,
                    "Resources": list(resources),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            (entry,) = answer["Entries"]
            why = f"{kind}: {entry.get('ErrorCode')}: {entry.get('ErrorMessage')}"
            raise (Unavailable if entry.get("ErrorCode") in FAILED_ENTRIES else EventsError)(why)
