"""DynamoDB in memory, as far as turns use it: much faster where two days are lived through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError


@dataclass
class Table:
    """A DynamoDB table in memory, as far as turns use one."""

    rows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def get_item(self, Key: dict[str, str], ConsistentRead: bool) -> dict[str, Any]:
        assert ConsistentRead
        row = self.rows.get((Key["group"], Key["record"]))
        return {"Item": row} if row else {}

    def put_item(self, Item: dict[str, Any], ConditionExpression: Any = None) -> None:
        key = (Item["group"], Item["record"])
        if ConditionExpression and not _holds(ConditionExpression, self.rows.get(key, {})):
            raise _refused()
        self.rows[key] = dict(Item)

    def delete_item(self, Key: dict[str, str], ConditionExpression: Any = None) -> None:
        key = (Key["group"], Key["record"])
        if ConditionExpression and not _holds(ConditionExpression, self.rows.get(key, {})):
            raise _refused()
        self.rows.pop(key, None)

    def query(self, KeyConditionExpression: Any, ConsistentRead: bool) -> dict[str, Any]:
        assert ConsistentRead
        found = [row for row in self.rows.values() if _holds(KeyConditionExpression, row)]
        return {"Items": found}


def _refused() -> ClientError:
    return ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")


def _holds(condition: Any, row: dict[str, Any]) -> bool:
    """Evaluate a condition of boto3's on a row."""
    told = condition.get_expression()
    operator, values = told["operator"], told["values"]
    if operator in {"AND", "OR"}:
        both = [_holds(one, row) for one in values]
        return all(both) if operator == "AND" else any(both)
    found = row.get(values[0].name)
    if operator == "attribute_not_exists":
        return found is None
    compared = {
        "=": lambda: found == values[1],
        "<": lambda: found is not None and found < values[1],
        "begins_with": lambda: found is not None and found.startswith(values[1]),
    }
    return bool(compared[operator]())
