"""What a run and an idle month are billed as: the arithmetic, and what of it is counted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from benchmarks.billed import Request
from benchmarks.memory import MARGIN, functions

from benchmarks import billed, money
from mpe.assembly.synthesis import Assembly
from tests.conftest import ROOT

COSTS = (ROOT / "docs" / "costs.md").read_text()


@pytest.fixture(scope="module")
def committed() -> Any:
    return json.loads((ROOT / "benchmarks" / "results.json").read_text())


@pytest.fixture(scope="module")
def template(assembly: Assembly) -> Any:
    return json.loads(assembly.template.read_text())


@pytest.mark.parametrize(
    ("counts", "usd", "beyond_free"),
    [
        # The counts of the first example of https://aws.amazon.com/lambda/pricing/, at arm64's
        # price: 3 million calls of a second with 512 MB are 1,500,000 GB-s, of which 1,100,000 are
        # billed, and 2 million requests.
        ({"lambda_gb_seconds": 1_500_000}, 20.0001, 14.66674),
        ({"lambda_requests": 3_000_000}, 0.60, 0.40),
        # https://aws.amazon.com/xray/pricing/, its first example: 148,800 traces are 0.24 USD.
        ({"traces": 148_800}, 0.744, 0.244),
        # https://aws.amazon.com/step-functions/pricing/: 0.025 USD for 1,000.
        ({"state_transitions": 1_314}, 0.03285, 0.0),
        # Nothing of DynamoDB on demand is free: 0.65 million writes and 0.55 million reads.
        ({"dynamodb_writes": 650_000, "dynamodb_reads": 550_000}, 0.475, 0.475),
        # A bill of twelve alarms has two that are not free.
        ({"alarm_metrics": 12, "dashboards": 1, "keys": 1}, 5.20, 1.20),
    ],
)
def test_a_bill_is_what_the_price_pages_reckon(
    counts: dict[str, float], usd: float, beyond_free: float
) -> None:
    assert sum(money.bill(counts).values()) == pytest.approx(usd)
    assert sum(money.bill(counts, beyond_free=True).values()) == pytest.approx(beyond_free)


def test_what_has_no_price_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="no price is known of llamas"):
        money.bill({"llamas": 1})


def test_each_price_has_its_source() -> None:
    for name, price in money.prices().items():
        assert re.fullmatch(r"https://aws\.amazon\.com/[-a-z0-9]+/pricing/", price.source), name


def test_a_stack_is_billed_by_its_template() -> None:
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    both = [{"Id": "sum", "Expression": "a + b"}, *({"Id": one, "MetricStat": {}} for one in "ab")]
    template = {
        "Resources": {
            "One": plain,
            "Two": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": both}},
            "Board": {"Type": "AWS::CloudWatch::Dashboard"},
            "Key": {"Type": "AWS::KMS::Key"},
            "Rate": {
                "Type": "AWS::Events::Rule",
                "Properties": {"ScheduleExpression": "rate(10 minutes)"},
            },
            "Pattern": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {}}},
        }
    }
    found = {"alarm_metrics": 3, "dashboards": 1, "keys": 1, "looks": 730 * 6}
    assert money.of_stack(template) == found


@pytest.mark.parametrize(
    ("rate", "times"),
    [("rate(1 hour)", 730), ("rate(5 minutes)", 8760), ("rate(2 days)", 730 / 48)],
)
def test_a_rule_fires_so_often_a_month(rate: str, times: float) -> None:
    assert money.a_month(rate) == pytest.approx(times)


def test_what_is_no_rate_is_told() -> None:
    with pytest.raises(ValueError, match="is no rate"):
        money.a_month("cron(0 3 * * ? *)")


def test_an_idle_month_is_its_looks_and_what_is_there_all_the_time() -> None:
    stack = {"looks": 100, "keys": 1}
    look = {"lambda_requests": 1, "lambda_gb_seconds": 0.15, "metrics": 2}
    month = {"lambda_requests": 100, "lambda_gb_seconds": 15, "keys": 1, "metric_months": 2}
    assert money.idle(stack, look) == month


def asked(service: str, method: str, url: str, operation: str = "", body: Any = "") -> Request:
    headers = {
        "Authorization": f"Credential=test/20260101/us-east-1/{service}/aws4_request, x",
        "X-Amz-Target": f"Any.{operation}",
    }
    text = body if isinstance(body, str) else json.dumps(body)
    return Request(method, url, headers, text.encode())


def of_table(operation: str, **body: Any) -> Request:
    return asked("dynamodb", "POST", "https://dynamodb", operation, body)


@pytest.mark.parametrize(
    ("request_", "answered", "counts"),
    [
        (of_table("GetItem", ConsistentRead=True), 4096, {"dynamodb_reads": 1}),
        (of_table("GetItem", ConsistentRead=True), 4097, {"dynamodb_reads": 2}),
        (of_table("GetItem"), 4097, {"dynamodb_reads": 1}),
        (of_table("Query"), 0, {"dynamodb_reads": 0.5}),
        (of_table("PutItem", Item={"a": "x" * 1015}), 2, {"dynamodb_writes": 1}),
        (of_table("PutItem", Item={"a": "x" * 1016}), 2, {"dynamodb_writes": 2}),
        (of_table("UpdateItem", Key={}), 2049, {"dynamodb_writes": 3}),
        (of_table("DeleteItem", Key={}), 2, {"dynamodb_writes": 1}),
        (asked("s3", "GET", "https://data.s3/key"), 9, {"s3_reads": 1}),
        (asked("s3", "HEAD", "https://data.s3/key"), 0, {"s3_reads": 1}),
        (asked("s3", "GET", "https://data.s3/?list-type=2&prefix=train"), 9, {"s3_writes": 1}),
        (asked("s3", "PUT", "https://data.s3/key"), 0, {"s3_writes": 1}),
        (asked("s3", "DELETE", "https://data.s3/key"), 0, {}),
        (
            asked("events", "POST", "https://events", "PutEvents", {"Entries": ["x", "y" * 65535]}),
            9,
            {"events": 3},
        ),
        (
            asked("sns", "POST", "https://sns", body="Action=Publish&TopicArn=x"),
            9,
            {"notifications": 1, "mails": 1},
        ),
        (asked("personalize", "POST", "https://personalize", "DescribeCampaign", {}), 9, {}),
    ],
)
def test_a_request_is_billed_by_what_it_asks_for(
    request_: Request, answered: int, counts: dict[str, float]
) -> None:
    assert dict(billed.of_request(request_, b"x" * answered)) == counts


def test_an_invocation_is_billed_by_its_memory_and_time() -> None:
    found = billed.of_invocation(512, 0.3)
    assert (found["lambda_requests"], found["lambda_gb_seconds"]) == (1, 0.15)


def test_metrics_are_told_apart_by_their_dimensions() -> None:
    line = {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Own",
                    "Dimensions": [["Stack"], ["Stack", "Group"]],
                    "Metrics": [{"Name": "Runs"}],
                }
            ]
        },
        "Stack": "s",
        "Group": "g",
        "Runs": [1.0],
    }
    text = f'{{"message": "begun"}}\n{json.dumps(line)}\n'
    assert list(billed.measured(text)) == [("Own", "Runs", "s"), ("Own", "Runs", "s", "g")]


def test_the_committed_stack_is_that_of_the_template(committed: Any, template: Any) -> None:
    assert committed["money"]["stack"] == money.of_stack(template)


def test_the_page_of_costs_says_what_was_reckoned(committed: Any) -> None:
    found = committed["money"]
    month = money.bill(money.idle(found["stack"], found["look"]))
    said = re.search(r"an idle month\s+(\d+\.\d\d) USD", COSTS)
    assert said, "the page says what an idle month costs"
    assert float(said[1]) == pytest.approx(sum(month.values()), abs=0.005)
    run = re.search(r"a first run costs\s+(\d+\.\d\d) USD", COSTS)
    assert run, "the page says what a run costs"
    first = money.bill(found["runs"]["first run"])
    assert float(run[1]) == pytest.approx(sum(first.values()), abs=0.005)


def test_every_function_has_a_margin_above_what_it_was_measured_to_take(
    committed: Any, template: Any
) -> None:
    measured = committed["memory"]["found"]["functions"]
    has = {name: one["MemorySize"] for name, one in functions(template).items()}
    assert measured.keys() == has.keys()
    for name, one in measured.items():
        assert has[name] == one["configured_mb"], name
        assert has[name] >= MARGIN * one["peak_mb"], name


def test_who_counts_data_has_a_margin_above_what_ten_million_rows_take(
    committed: Any, template: Any
) -> None:
    has = {name: one["MemorySize"] for name, one in functions(template).items()}
    took = committed["gate_costs"]["found"]
    for name, how in {"ensure DatasetImportJob": "counted", "profiling": "estimated"}.items():
        assert has[name] >= MARGIN * took[how]["memory_gb"] * 1000, name
