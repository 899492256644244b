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

    def write(self, group: str, task: str, **values: Any) -> dict[str, Any]:
        """Write some of a task's row, which is made where there is none; return all of it.

        The rest stays as it is, since others may change it at the same moment: how the last
        run went, and whether the task is disabled.
        """
        return self._update(group, task, **_set(values)) or {}

    def set(self, group: str, task: str, **values: Any) -> bool:
        """Change some of a row; return False where the task is gone."""
        there = Attr("record").exists()
        return self._update(group, task, **_set(values), ConditionExpression=there) is not None

    def enable(self, group: str, task: str, *, only: str | None = None) -> bool:
        """Note that a task is not disabled any more; return False where it stays disabled.

        With ``only``, a task that is disabled for another reason stays so.
        """
        may = Attr("record").exists()
        if only:
            may &= Attr("disabled").not_exists() | Attr("disabled").eq(only)
        removed = {
            "UpdateExpression": "REMOVE #disabled",
            "ExpressionAttributeNames": {"#disabled": "disabled"},
        }
        return self._update(group, task, **removed, ConditionExpression=may) is not None

    def _update(self, group: str, task: str, **how: Any) -> dict[str, Any] | None:
        """Return the row as it is then, or None where the condition is not met."""
        try:
            found = self._table.update_item(
                Key={"group": group, "record": task}, ReturnValues="ALL_NEW", **how
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        row: dict[str, Any] = found["Attributes"]
        return row

    def claim(self, group: str, task: str, last: Mapping[str, Any], *, seen: str | None) -> bool:
        """Note a run as the task's last; return False where another than the seen one is.

        Two executions that a schedule started at the same moment both see the same row, and
        only one may run the task.
        """
        ours = Attr("last.execution").eq(last["execution"])
        before = Attr("last.execution").eq(seen) if seen else Attr("last").not_exists()
        free = Attr("record").exists() & (ours | before)
        return (
            self._update(group, task, **_set({"last": last}), ConditionExpression=free) is not None
        )

    def delete(self, group: str, task: str) -> None:
        """Remove a task's row; one that is gone is no error."""
        self._table.delete_item(Key={"group": group, "record": task})

    def of(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a dataset group."""
        yield from pages(self._table.query, KeyConditionExpression=Key("group").eq(group))

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of every dataset group."""
        yield from pages(self._table.scan)


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an update that sets values."""
    return {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
    }
