"""Turns: one run at a time in a dataset group, and the newest config wins.

One DynamoDB table, keyed by dataset group, with three kinds of rows: the newest config
that was uploaded, the lease of the run that works now, and a row for each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from mpe.aws.tables import pages

LEASE = timedelta(days=3)
"""When a lease ends by itself; longer than the workflow may run."""
LOST = "LOST"
"""The status of a run that ended and could tell nobody; that it is told may yet come."""


@dataclass(frozen=True)
class Claim:
    """A run that asks for its turn."""

    group: str
    run: str
    execution: str
    """The ARN of its execution, which the next in line asks after."""
    sequencer: str
    """S3's order of uploads: of two, the greater is the later."""


class Turns:
    """Take and give back turns through a DynamoDB table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def announce(self, group: str, run: str, sequencer: str) -> bool:
        """Note an uploaded config; return False where a newer one is already known.

        S3 may deliver events late and in any order; its sequencers, padded to one length,
        sort as the uploads did
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
        """
        return self._put(
            {"group": group, "record": "CONFIG", "run": run, "sequencer": _padded(sequencer)},
            Attr("sequencer").not_exists() | Attr("sequencer").lte(_padded(sequencer)),
        )

    def superseded(self, claim: Claim) -> bool:
        """Tell whether a newer config has been uploaded since."""
        row = self._get(claim.group, "CONFIG")
        return bool(row and row["sequencer"] > _padded(claim.sequencer))

    def take(self, claim: Claim, now: datetime, lease: timedelta = LEASE) -> str | None:
        """Take the turn, or keep it; return who has it, or None when it is now ours."""
        free = Attr("holder").not_exists() | Attr("holder").eq(claim.execution)
        expired = Attr("until").lt(now.isoformat())
        if self._put(_lease(claim, now + lease), free | expired):
            return None
        row = self._get(claim.group, "LEASE")
        return str(row["holder"]) if row else ""

    def take_over(self, claim: Claim, dead: str, now: datetime) -> bool:
        """Take the turn of a run that ended without giving it back, and note that it is lost."""
        lease = self._get(claim.group, "LEASE")
        if lease and lease["holder"] == dead:
            self._lose(claim.group, str(lease["run"]))
        return self._put(
            _lease(claim, now + LEASE), Attr("holder").not_exists() | Attr("holder").eq(dead)
        )

    def _lose(self, group: str, run: str) -> None:
        row = self.recorded(group, run)
        if row:
            self._put({**row, "status": LOST}, Attr("status").eq("RUNNING"))

    def give_back(self, group: str, execution: str) -> None:
        """Give the turn back, unless somebody else has taken it over."""
        try:
            self._table.delete_item(
                Key={"group": group, "record": "LEASE"},
                ConditionExpression=Attr("holder").eq(execution),
            )
        except ClientError as error:
            if not _condition_failed(error):
                raise

    def forget(self, group: str) -> None:
        """Forget the newest config of a group, which is gone; its runs stay known."""
        self._table.delete_item(Key={"group": group, "record": "CONFIG"})

    def record(self, group: str, run: str, row: Mapping[str, Any]) -> None:
        """Keep a run's own row."""
        self._table.put_item(Item={"group": group, "record": f"RUN#{run}", **row})

    def recorded(self, group: str, run: str) -> Mapping[str, Any] | None:
        """Return a run's own row."""
        return self._get(group, f"RUN#{run}")

    def runs(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the runs of a dataset group, the newest first."""
        query = Key("group").eq(group) & Key("record").begins_with("RUN#")
        for row in pages(self._table.query, KeyConditionExpression=query, ScanIndexForward=False):
            yield {**row, "run": row["record"].removeprefix("RUN#")}

    def newest(self) -> Iterator[dict[str, Any]]:
        """Yield the newest config of every dataset group: ``group``, ``run``, ``sequencer``."""
        yield from pages(self._table.scan, FilterExpression=Attr("record").eq("CONFIG"))

    def _get(self, group: str, record: str) -> Mapping[str, Any] | None:
        found = self._table.get_item(Key={"group": group, "record": record}, ConsistentRead=True)
        item: Mapping[str, Any] | None = found.get("Item")
        return item

    def _put(self, item: Mapping[str, Any], condition: Any) -> bool:
        try:
            self._table.put_item(Item=item, ConditionExpression=condition)
        except ClientError as error:
            if _condition_failed(error):
                return False
            raise
        return True


def _lease(claim: Claim, until: datetime) -> dict[str, str]:
    return {
        "group": claim.group,
        "record": "LEASE",
        "run": claim.run,
        "holder": claim.execution,
        "until": until.isoformat(),
    }


def _condition_failed(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def _padded(sequencer: str) -> str:
    return sequencer.upper().ljust(32, "0")
