"""The events API: events, items, users and actions, put one by one.

https://docs.aws.amazon.com/personalize/latest/dg/API_Operations_Amazon_Personalize_Events.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from mpe.emulator.data import KEYS, Dataset, Streamed
from mpe.emulator.lifecycle import ACTIVE
from mpe.emulator.resources.base import invalid
from mpe.emulator.resources.groups import KINDS_BY_TYPE, fields_of
from mpe.emulator.state import IN_USE, NOT_FOUND, Resource, World
from mpe.emulator.tables import reader
from mpe.emulator.wire import ServiceError
from mpe.model.service.avro import Field
from mpe.model.service.operations import operation
from mpe.model.service.shapes import violations

Params = Mapping[str, Any]
UNPARSED = "Error parsing properties json"
"""The service's words: https://github.com/aws/aws-sdk-js/issues/2773."""
RESERVED = frozenset(
    {"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}
)
"""What cannot be a key of an event's properties, case aside
(https://docs.aws.amazon.com/personalize/latest/dg/API_UBS_Event.html)."""
NO_SESSION = "null"
"""A session that is ignored, in silence: https://github.com/aws/aws-sdk-js/issues/3371."""
ACTION_EVENTS = frozenset({"viewed", "taken", "nottaken"})
"""The event types of actions, letters alone
(https://docs.aws.amazon.com/personalize/latest/dg/action-interaction-event-type-data.html)."""


def call(world: World, name: str, params: Params) -> None:
    """Take in what a call puts; the answer is empty."""
    wrong = [
        one
        for one in violations(operation(name, "personalize-events").input_shape, params)
        if not one.path.endswith((".sentAt", ".timestamp"))
    ]
    if wrong:
        raise invalid("; ".join(one.told.removeprefix("$.") for one in wrong))
    _CALLS[name](world, params)


def _put_events(world: World, params: Params) -> None:
    group = _tracked(world, "EventTracker", params["trackingId"])
    dataset = _of_type(world, group.fields["datasetGroupArn"], "INTERACTIONS")
    fields = _fields(world, dataset)
    rows = [_event(fields, event, params.get("userId")) for event in params["eventList"]]
    for event, row in zip(params["eventList"], rows, strict=True):
        _add(world, dataset, params["sessionId"], event, row)


def _put_action_interactions(world: World, params: Params) -> None:
    dataset = _tracked(world, "Dataset", params["trackingId"])
    fields = _fields(world, dataset)
    events = params["actionInteractions"]
    for event in events:
        if re.sub(r"[^a-z]", "", event["eventType"].lower()) not in ACTION_EVENTS:
            raise invalid(f"eventType must be Viewed, Taken or Not Taken: {event['eventType']}")
    rows = [_event(fields, event, event.get("userId"), key="actionId") for event in events]
    for event, row in zip(events, rows, strict=True):
        _add(world, dataset, event["sessionId"], event, row)


def _add(
    world: World, dataset: Resource, session: str, event: Params, row: dict[str, Any] | None
) -> None:
    data = _data(dataset)
    if row is not None and session != NO_SESSION:
        data.stream.add(Streamed(row, session, world.now, event.get("eventId", "")))


def _putter(kind: str, members: str, id: str) -> Callable[[World, Params], None]:
    """Return the operation that puts rows of a type of dataset."""

    def put(world: World, params: Params) -> None:
        dataset = _dataset(world, params["datasetArn"], kind)
        fields = _fields(world, dataset)
        rows = [_row(fields, {KEYS[KINDS_BY_TYPE[kind]]: one[id]}, one) for one in params[members]]
        for row in rows:
            _data(dataset).put_row(row, world.now)

    return put


_CALLS: dict[str, Callable[[World, Params], None]] = {
    "PutEvents": _put_events,
    "PutActionInteractions": _put_action_interactions,
    "PutItems": _putter("ITEMS", "items", "itemId"),
    "PutUsers": _putter("USERS", "users", "userId"),
    "PutActions": _putter("ACTIONS", "actions", "actionId"),
}


def _tracked(world: World, noun: str, tracking: str) -> Resource:
    for found in world.of(noun, trackingId=tracking):
        if found.state(world.now).status == ACTIVE:
            return found
    raise invalid(f"Invalid trackingId: {tracking}")


def _of_type(world: World, group: str, kind: str) -> Resource:
    for found in world.of("Dataset", datasetGroupArn=group, datasetType=kind):
        if found.active(world.now):
            return found
    raise invalid(f"The dataset group has no ACTIVE dataset of type {kind}.")


def _dataset(world: World, arn: str, kind: str) -> Resource:
    found = world.resources.get(arn)
    if found is None or found.noun != "Dataset":
        raise ServiceError(NOT_FOUND, f"Resource Arn {arn} does not exist.", 404)
    if found.fields["datasetType"] != kind:
        raise invalid(f"{arn} is a dataset of type {found.fields['datasetType']}, not {kind}.")
    if not found.active(world.now):
        status = found.state(world.now).status
        raise ServiceError(IN_USE, f"Resource Arn {arn} is in an invalid state: {status}.", 409)
    return found


def _data(dataset: Resource) -> Dataset:
    assert dataset.data is not None
    return dataset.data


def _fields(world: World, dataset: Resource) -> list[Field]:
    return fields_of(world.get("Schema", dataset.fields["schemaArn"]))


def _event(
    fields: list[Field], event: Params, user: str | None, key: str = "itemId"
) -> dict[str, Any] | None:
    """Return an event as a row; None where it names nothing that the user turned to."""
    source = event.get("metricAttribution", {}).get("eventAttributionSource")
    impression = event.get("impression")
    own = {
        "USER_ID": user,
        "EVENT_TYPE": event["eventType"],
        "TIMESTAMP": str(_seconds(event.get("sentAt", event.get("timestamp")))),
        "EVENT_VALUE": event.get("eventValue"),
        "IMPRESSION": "|".join(impression) if impression else None,
        "RECOMMENDATION_ID": event.get("recommendationId"),
        "EVENT_ATTRIBUTION_SOURCE": source,
    }
    column = "ACTION_ID" if key == "actionId" else "ITEM_ID"
    properties = _properties(event)
    for name in properties:
        if name in RESERVED:
            raise invalid(f"{name} cannot be a key of properties.")
    named = event.get(key) or properties.get(_plain(column))  # so events were put before 2020
    if named is None:
        return None
    row = _row(fields, {**own, column: named}, event, lenient=True)
    return {"EVENT_TYPE": event["eventType"], **row}


def _row(
    fields: Iterable[Field], own: Mapping[str, Any], put: Params, *, lenient: bool = False
) -> dict[str, Any]:
    """Return a row as the schema types it; its other columns come from the properties.

    An event may lack what the schema has: the API asks for its type and time alone.
    """
    properties = _properties(put)
    row: dict[str, Any] = {}
    for field in fields:
        value = own.get(field.name)
        value = properties.get(_plain(field.name)) if value is None else value
        if lenient and value is None:
            row[field.name] = None
            continue
        try:
            row[field.name] = reader(field)("" if value is None else _cell(value))
        except ValueError:
            told = "is required" if value is None else f"cannot be {value!r}"
            raise invalid(f"{field.name} {told}: the schema has it as {field.type}.") from None
    return row


def _properties(put: Params) -> dict[str, Any]:
    """Return the properties by their plain names; they are written in camel case."""
    text = put.get("properties")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        raise invalid(UNPARSED) from None
    if not isinstance(found, dict):
        raise invalid(UNPARSED)
    return {_plain(name): value for name, value in found.items()}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _cell(value: Any) -> str:
    """Return a value as a CSV would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "|".join(map(str, value))
    return str(value)


def _seconds(moment: Any) -> int:
    """Return a time in seconds, however it came over the wire."""
    if isinstance(moment, int | float) and not isinstance(moment, bool):
        return int(moment)
    try:
        when = datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
    except ValueError:
        raise invalid(f"not a time: {moment!r}") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
