"""How often DynamoDB reads an expression of a query of many items, and walks it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

ITEMS = 20
ASKED = """
import asyncio, collections, json, sys
from ministack.services import dynamodb
from mpe.local.ministack.dynamodb import compare_keys_at_once, read_expressions_once

read = collections.Counter()

def counted(name):
    original = getattr(dynamodb, name)
    def counting(*given):
        read[name] += 1
        return original(*given)
    setattr(dynamodb, name, counting)

counted("_tokenize")
counted("_condition_syntax_error")
counted("_ExprEval")
if sys.argv[1] == "good":
    read_expressions_once()
    compare_keys_at_once()

def ask(operation, **params):
    target = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    body = json.dumps({"TableName": "rows", **params}).encode()
    status, _, answer = asyncio.run(dynamodb.handle_request("POST", "/", target, body, {}))
    return status, json.loads(answer)

ask(
    "CreateTable",
    KeySchema=[
        {"AttributeName": "of", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"},
    ],
    AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("of", "at")],
    BillingMode="PAY_PER_REQUEST",
)
for number in range(int(sys.argv[2])):
    ask("PutItem", Item={"of": {"S": "one"}, "at": {"S": f"{number:03}"}, "n": {"N": str(number)}})
read.clear()
answers = [
    ask(
        "Query",
        KeyConditionExpression="#of = :of AND begins_with(#at, :at)",
        FilterExpression=filter,
        ExpressionAttributeNames={"#of": "of", "#at": "at"},
        ExpressionAttributeValues={
            ":of": {"S": "one"}, ":at": {"S": "0"}, ":low": {"N": "3"}, ":high": {"N": "9"},
        },
    )
    for filter in (
        "n BETWEEN :low AND :high", "n = :low OR n > :high", "n = = :low", "((n = :low))",
    )
]
read.pop("_ExprEval", None)
found = {"answers": answers, "read": max(read.values())}


def with_keys(*conditions):
    return [
        ask(
            "Query",
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#n0": "of", "#n1": name},
            ExpressionAttributeValues={":v0": whole, ":v1": begins},
        )
        for condition in conditions
        for name, whole, begins in (
            ("at", {"S": "one"}, {"S": "01"}),
            ("at", {"S": "one"}, {"S": "9"}),
            ("at", {"S": "other"}, {"S": "0"}),
            ("at", {"S": "one"}, {"N": "0"}),
            ("at", {"N": "1"}, {"S": "0"}),
            ("n", {"S": "one"}, {"S": "0"}),
        )
    ]

read.clear()
found["keys"] = with_keys("(#n0 = :v0 AND begins_with(#n1, :v1))")
found["walked"] = read["_ExprEval"]
found["keys"] += with_keys(
    "#n0 = :v0 AND begins_with(#n1, :v1)",
    "(#n0 = :v0 AND begins_with(#n1, :v1)",
    "#n0 = :v0 AND begins_with(#n1, :v1))",
)
found["odd"] = [
    ask(
        "Query",
        KeyConditionExpression="(#n0 = :v0 AND begins_with(#n1, :v1))",
        ExpressionAttributeNames={"#n0": "of", "#n1": name},
        ExpressionAttributeValues={":v0": whole, ":v1": begins},
    )
    for name, whole, begins in (
        ("at", {"S": "one", "N": "1"}, {"S": "0"}),
        ("at", {"S": "one"}, {"S": "0", "N": "1"}),
        ("of", {"S": "one"}, {"S": "o"}),
        ("of", {"S": "one"}, {"B": "bw=="}),
    )
]
print(json.dumps(found))
"""


def asked(how: str) -> dict[str, Any]:
    """Ask a MiniStack of a process of its own, which makes readings good or is as it comes."""
    command = [sys.executable, "-c", ASKED, how, str(ITEMS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def as_it_comes() -> dict[str, Any]:
    return asked("alone")


def test_alone_an_expression_is_read_for_each_item(as_it_comes: dict[str, Any]) -> None:
    assert as_it_comes["read"] > ITEMS


def test_an_expression_is_read_once_and_the_answers_are_the_same(
    as_it_comes: dict[str, Any],
) -> None:
    good = asked("good")
    assert good["answers"] == as_it_comes["answers"]
    statuses = [status for status, _ in good["answers"]]
    assert statuses == [200, 200, 400, 400], "right expressions and wrong ones"
    assert len(good["answers"][0][1]["Items"]) == 7
    assert good["read"] == 5, "one that all queries have, and four"


def test_alone_a_query_walks_its_expression_for_each_item(as_it_comes: dict[str, Any]) -> None:
    assert as_it_comes["walked"] >= 2 * ITEMS


def test_keys_are_compared_at_once_and_the_answers_are_the_same(
    as_it_comes: dict[str, Any],
) -> None:
    good = asked("good")
    assert good["keys"] == as_it_comes["keys"]
    assert good["odd"] == as_it_comes["odd"], "values of two types, and one key twice"
    counts = [answer.get("Count") for _, answer in good["keys"]]
    assert counts[:3] == [10, 0, 0]
    assert [status for status, _ in good["keys"]][:6] == [200] * 3 + [400] * 3
    assert good["walked"] == 0
