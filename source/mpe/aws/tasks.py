"""The schedule table: each scheduled task of each dataset group, and its last run.

One DynamoDB table, keyed by dataset group and task. A row says what the task does (a pointer
to the desired state that has it), when, whether it is enabled, and how its last run went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from mpe.aws.tables import condition_failed, pages
from mpe.model.plan.forms import TASK

MOST_FIRED = 100
"""How many of a task's fires are known at least, by the moments that they were for.

A schedule fires once a minute at most, and is delivered for an hour at most
(:data:`mpe.aws.schedules.RETRY_SECONDS`).
"""


class Tasks:
    """Write and read the schedule table through a DynamoDB table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, group: str, task: str) -> dict[str, Any] | None:
        """Return a task's row, or None."""
        found = self._table.get_item(Key=_key(group, task), ConsistentRead=True)
        item: dict[str, Any] | None = found.get("Item")
        return TASK.read(item) if item else None

    def write(self, group: str, task: str, **values: Any) -> dict[str, Any]:
        """Write some of a task's row, which is made where there is none; return all of it.

        The rest stays as it is, since others may change it at the same moment: how the last
        run went, and whether the task is disabled.
        """
        written = self._table.update_item(
            Key=_key(group, task), **_setting(TASK.marked(values)), ReturnValues="ALL_NEW"
        )
        row: dict[str, Any] = written["Attributes"]
        return row

    def set(self, group: str, task: str, **values: Any) -> bool:
        """Change some of a row; return False where the task is gone."""
        return self._change(group, task, _setting(values))

    def enable(self, group: str, task: str, *, only: str | None = None) -> bool:
        """Note that a task is not disabled any more; return False where it is gone, or stays so.

        With ``only``, a task that is disabled for another reason stays so.
        """
        removal = {
            "UpdateExpression": "REMOVE #disabled",
            "ExpressionAttributeNames": {"#disabled": "disabled"},
        }
        free = Attr("disabled").not_exists() | Attr("disabled").eq(only) if only else None
        return self._change(group, task, removal, free)

    def claim(
        self,
        group: str,
        task: str,
        last: Mapping[str, Any],
        *,
        seen: str | None,
        scheduled: str | None = None,
    ) -> bool:
        """Note a run as the task's last; return False where another than the seen one is.

        Two executions that a schedule started at the same moment both see the same row, and
        only one may run the task. So it is of two for the same ``scheduled`` moment.
        """
        ours = Attr("last.execution").eq(last["execution"])
        before = Attr("last.execution").eq(seen) if seen else Attr("last").not_exists()
        if scheduled:
            before &= Attr("fired").not_exists() | ~Attr("fired").contains(scheduled)
        change = _fired(_setting({"last": last}), scheduled)
        if not self._change(group, task, change, ours | before):
            return False
        self._forget_fires(group, task)
        return True

    def skip(self, group: str, task: str, at: datetime, scheduled: str | None) -> None:
        """Note that a fire came to nothing, and which, so that it does when it comes again."""
        change = _setting({"skipped": at.isoformat()})
        self._change(group, task, _fired(change, scheduled))

    def _forget_fires(self, group: str, task: str) -> None:
        """Forget the fires that are delivered no more."""
        fired = sorted((self.get(group, task) or {}).get("fired", ()))
        if len(fired) > 2 * MOST_FIRED:
            change = {
                "UpdateExpression": "DELETE #fired :old",
                "ExpressionAttributeNames": {"#fired": "fired"},
                "ExpressionAttributeValues": {":old": set(fired[:-MOST_FIRED])},
            }
            self._change(group, task, change)

    def _change(
        self, group: str, task: str, change: Mapping[str, Any], condition: Any = None
    ) -> bool:
        """Change a row that is there; return False where it is not, or not as it must be."""
        there = Attr("record").exists()
        try:
            self._table.update_item(
                Key=_key(group, task),
                **change,
                ConditionExpression=there & condition if condition else there,
            )
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True

    def delete(self, group: str, task: str) -> None:
        """Remove a task's row; one that is gone is no error."""
        self._table.delete_item(Key=_key(group, task))

    def of(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a dataset group."""
        yield from map(TASK.read, self._of(group))

    def readable(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a dataset group's tasks but those of a newer release's form."""
        yield from (TASK.read(row) for row in self._of(group) if TASK.readable(row))

    def ids(self, group: str) -> Iterator[str]:
        """Yield the tasks of a dataset group, also where a newer release wrote their rows."""
        yield from (row["record"] for row in self._of(group))

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of every dataset group."""
        yield from map(TASK.read, pages(self._table.scan))

    def _of(self, group: str) -> Iterator[dict[str, Any]]:
        of = Key("group").eq(group)
        yield from pages(self._table.query, KeyConditionExpression=of, ConsistentRead=True)


def _key(group: str, task: str) -> dict[str, str]:
    return {"group": group, "record": task}


def _fired(change: Mapping[str, Any], scheduled: str | None) -> Mapping[str, Any]:
    """Return an update that notes a fire as well."""
    if scheduled is None:
        return change
    return {
        "UpdateExpression": f"{change['UpdateExpression']} ADD #fired :fired",
        "ExpressionAttributeNames": {**change["ExpressionAttributeNames"], "#fired": "fired"},
        "ExpressionAttributeValues": {
            **change["ExpressionAttributeValues"],
            ":fired": {scheduled},
        },
    }


def _setting(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an update that sets values."""
    return {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
    }
