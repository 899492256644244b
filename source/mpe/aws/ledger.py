"""The ledger: what each run did to each resource, and how long things take.

One DynamoDB table, keyed by dataset group. Each resource of each run has a row, written when
the run is done with it, so that a run's outcome needs no room in the workflow's state and
survives a run that is killed. Each resource also has a row with its last duration for each
kind of work that was done to it (:mod:`mpe.model.plan.waits`), and so has each resource type,
whatever the dataset group. A job has one with the data that it was made for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Key

from mpe.aws.tables import pages

KEPT = timedelta(days=400)
"""How long the rows of a run are kept: a little over a year."""


ANY = "*"
"""In the place of a dataset group, whose name it cannot be."""


MOST_SEEN = 5_000
"""Objects that are kept of one job: an item of DynamoDB holds 400 KB."""


class Ledger:
    """Write and read the ledger through a DynamoDB table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def duration(self, group: str, resource: str, kind: str) -> float | None:
        """Return how many seconds work of a kind took at this resource the last time, or None."""
        return self._duration(group, resource, kind)

    def usual(self, noun: str, kind: str) -> float | None:
        """Return how many seconds it took at a resource of this type the last time, or None."""
        return self._duration(ANY, noun, kind)

    def remember(self, group: str, resource: str, noun: str, kind: str, seconds: float) -> None:
        """Keep how many seconds work of a kind took at this resource, and so at one of its type."""
        for of, record in ((group, resource), (ANY, noun)):
            self._table.put_item(
                Item={
                    "group": of,
                    "record": _of_kind(record, kind),
                    "seconds": Decimal(str(round(seconds, 1))),
                }
            )

    def _duration(self, group: str, record: str, kind: str) -> float | None:
        item = self._table.get_item(Key={"group": group, "record": _of_kind(record, kind)})
        found = item.get("Item")
        return float(found["seconds"]) if found else None

    def see(self, group: str, job: str, objects: frozenset[str], now: datetime) -> None:
        """Keep the objects, by their digests, that a job is about to be made for.

        ``job`` is the resource part of its ARN. A job that is refused, or fails, leaves what is
        known of the one before it as it is. Of more than :data:`MOST_SEEN` objects nothing is kept.
        """
        if len(objects) > MOST_SEEN:
            return
        self._table.put_item(
            Item={
                "group": group,
                "record": f"SEEN#{job}",
                "objects": set(objects),
                "expires": int((now + KEPT).timestamp()),
            }
        )

    def seen(self, group: str, job: str) -> frozenset[str] | None:
        """Return what a job was made for, or None where that is not known."""
        found = self._table.get_item(Key={"group": group, "record": f"SEEN#{job}"}).get("Item")
        return frozenset(found["objects"]) if found else None

    def record(self, group: str, run: str, outcome: Mapping[str, Any], now: datetime) -> None:
        """Keep what a run did to a resource; writing it again changes nothing."""
        row = {
            "group": group,
            "record": f"RUN#{run}#{outcome['resource']}",
            "at": now.isoformat(timespec="seconds"),
            "expires": int((now + KEPT).timestamp()),
            **outcome,
        }
        self._table.put_item(Item={key: _stored(value) for key, value in row.items()})

    def outcomes(self, group: str, run: str) -> Iterator[dict[str, Any]]:
        """Yield what a run did, resource by resource."""
        found = Key("group").eq(group) & Key("record").begins_with(f"RUN#{run}#")
        yield from pages(self._table.query, KeyConditionExpression=found)


def _of_kind(record: str, kind: str) -> str:
    return f"DURATION#{kind}#{record}"


def _stored(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value
