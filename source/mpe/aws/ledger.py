"""The ledger: what each run did to each resource, and how long things take.

One DynamoDB table, keyed by dataset group. Each resource of each run has a row, written when
the run is done with it, so that a run's outcome needs no room in the workflow's state and
survives a run that is killed. Each resource also has one row with its last duration, and so
has each resource type, whatever the dataset group. A job has one with the data it was made for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Seen:
    """The objects that lay in S3 when a job was made, by their digests."""

    job: str
    objects: frozenset[str]


class Ledger:
    """Write and read the ledger through a DynamoDB table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def duration(self, group: str, resource: str) -> float | None:
        """Return how many seconds this resource took the last time, or None."""
        return self._duration(group, resource)

    def usual(self, noun: str) -> float | None:
        """Return how many seconds a resource of this type took the last time, or None."""
        return self._duration(ANY, noun)

    def remember(self, group: str, resource: str, noun: str, seconds: float) -> None:
        """Keep how many seconds this resource, and so one of its type, took."""
        for of, record in ((group, resource), (ANY, noun)):
            self._table.put_item(
                Item={
                    "group": of,
                    "record": f"DURATION#{record}",
                    "seconds": Decimal(str(round(seconds, 1))),
                }
            )

    def _duration(self, group: str, record: str) -> float | None:
        item = self._table.get_item(Key={"group": group, "record": f"DURATION#{record}"})
        found = item.get("Item")
        return float(found["seconds"]) if found else None

    def see(self, group: str, resource: str, seen: Seen) -> None:
        """Keep what a job is about to be made for; of too many objects nothing is known."""
        item = {"group": group, "record": f"SEEN#{resource}", "job": seen.job}
        known = {"objects": set(seen.objects)} if len(seen.objects) <= MOST_SEEN else {}
        self._table.put_item(Item={**item, **known})

    def seen(self, group: str, resource: str) -> Seen | None:
        """Return what the newest job of a resource was made for, or None."""
        found = self._table.get_item(Key={"group": group, "record": f"SEEN#{resource}"}).get("Item")
        if not found or "objects" not in found:
            return None
        return Seen(found["job"], frozenset(found["objects"]))

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


def _stored(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value
