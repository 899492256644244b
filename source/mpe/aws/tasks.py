"""The schedule table: each scheduled task of each dataset group, and its last run.

One DynamoDB table, keyed by dataset group and task. A row says what the task does (a pointer
to the desired state that has it), when, whether it is enabled, and how its last run went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from mpe.aws.tables import pages


class Tasks:
    """Write and read the schedule table through a DynamoDB table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, group: str, task: str) -> dict[str, Any] | None:
        """Return a task's row, or None."""
        found = self._table.get_item(Key={"group": group, "record": task}, ConsistentRead=True)
        item: dict[str, Any] | None = found.get("Item")
        return item

    def put(self, group: str, task: str, row: Mapping[str, Any]) -> None:
        """Write a task's whole row."""
        self._table.put_item(Item={**row, "group": group, "record": task})

    def set(self, group: str, task: str, **values: Any) -> bool:
        """Change some of a row; return False where the task is gone."""
        return self._set(group, task, Attr("record").exists(), **values)

    def _set(self, group: str, task: str, condition: Any, **values: Any) -> bool:
        names = {f"#{name}": name for name in values}
        try:
            self._table.update_item(
                Key={"group": group, "record": task},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=Attr("record").exists() & condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def claim(self, group: str, task: str, last: Mapping[str, Any], *, seen: str | None) -> bool:
        """Note a run as the task's last; return False where another than the seen one is.

        Two executions that a schedule started at the same moment both see the same row, and
        only one may run the task.
        """
        ours = Attr("last.execution").eq(last["execution"])
        before = Attr("last.execution").eq(seen) if seen else Attr("last").not_exists()
        return self._set(group, task, ours | before, last=last)

    def delete(self, group: str, task: str) -> None:
        """Remove a task's row; one that is gone is no error."""
        self._table.delete_item(Key={"group": group, "record": task})

    def of(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a dataset group."""
        yield from pages(self._table.query, KeyConditionExpression=Key("group").eq(group))

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of every dataset group."""
        yield from pages(self._table.scan)
